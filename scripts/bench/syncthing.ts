import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { atEnd } from './ending.js'
import { freePort } from './rsync.js'

const KEY = 'bench'
const FOLDER = 'bench'
const ASK_MS = 10
/** Until both answer and have found each other: of programs that were only just started. */
const READY_MS = 60_000

/** Two of it on loopback, encrypted, with a folder in step both ways, for the same work beside ours. */
export interface Syncthing {
  readonly here: string
  readonly there: string
  /** The folder that holds what is to be sent rests, or goes on: then all of it is looked at. */
  pause(paused: boolean): Promise<void>
  /** Nothing of `here` is missing `there`. @param files - that it holds */
  inStep(files: number): Promise<boolean>
  stop(): Promise<void>
}

interface Peer {
  readonly id: string
  readonly home: string
  readonly api: number
  readonly port: number
  readonly root: string
}

/** Begins with its folder at rest, all discovery, relays and reports off. undefined where the program is not installed. */
export async function syncthingPair(dir: string): Promise<Syncthing | undefined> {
  if (spawnSync('syncthing', ['--version'], { stdio: 'ignore' }).status !== 0) return undefined
  const peers = [await peerIn(join(dir, 'syncthing-a')), await peerIn(join(dir, 'syncthing-b'))] as const
  const children: ChildProcess[] = []
  const stop = atEnd(async () => {
    for (const child of children) {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      child.kill()
      await ended
    }
  })
  try {
    for (const peer of peers) {
      writeFileSync(join(peer.home, 'config.xml'), configOf(peer, peers))
      const options = ['serve', `--home=${peer.home}`, '--no-browser', '--no-restart', '--no-upgrade']
      children.push(spawn('syncthing', options, { stdio: 'ignore', env: { ...process.env, STNORESTART: '1' } }))
    }
    await connected(peers)
  } catch (err) {
    await stop()
    throw err
  }
  const [a, b] = peers
  return {
    ...{ here: a.root, there: b.root, stop },
    async pause(paused) {
      await ask(a, 'PATCH', `config/folders/${FOLDER}`, { paused })
    },
    async inStep(files) {
      for (const peer of peers) {
        if (children.some(child => child.exitCode !== null)) throw new Error('syncthing has ended')
        // One that has much to do does not always answer.
        const status = await ask<Status>(peer, 'GET', `db/status?folder=${FOLDER}`).catch(() => undefined)
        if (status?.state !== 'idle' || status.needTotalItems !== 0 || status.localFiles !== files) return false
      }
      return true
    }
  }
}

interface Status {
  readonly state: string
  readonly needTotalItems: number
  readonly localFiles: number
}

async function peerIn(home: string): Promise<Peer> {
  const root = join(home, 'folder')
  mkdirSync(join(root, '.stfolder'), { recursive: true })
  execFileSync('syncthing', ['generate', `--home=${home}`, '--no-default-folder'], { stdio: 'ignore' })
  const id = execFileSync('syncthing', ['serve', `--home=${home}`, '--device-id'], { encoding: 'utf8' }).trim()
  return { id, home, root, api: await freePort(), port: await freePort() }
}

async function connected(peers: readonly Peer[]): Promise<void> {
  for (const began = performance.now(); performance.now() - began < READY_MS; await sleep(ASK_MS)) {
    const said = await Promise.all(
      peers.map(peer =>
        ask<{ connections: Record<string, { connected: boolean }> }>(peer, 'GET', 'system/connections').catch(() => {})
      )
    )
    if (said.every(s => s !== undefined && Object.values(s.connections).some(c => c.connected))) return
  }
  throw new Error('two of syncthing did not find each other')
}

async function ask<T>({ api }: Peer, method: string, what: string, body?: unknown): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${api}/rest/${what}`, {
    ...{ method, headers: { 'X-API-Key': KEY } },
    ...(body !== undefined && { body: JSON.stringify(body) })
  })
  if (!answer.ok) throw new Error(`syncthing: ${what}: ${answer.status} ${await answer.text()}`)
  const text = await answer.text()
  return (text === '' ? undefined : JSON.parse(text)) as T
}

function configOf({ id, api, port, root }: Peer, peers: readonly Peer[]): string {
  const own = peers[0]!.id === id
  const devices = peers.map(p => `<device id="${p.id}"><address>tcp://127.0.0.1:${p.port}</address></device>`)
  const off = ['globalAnnounceEnabled', 'localAnnounceEnabled', 'relaysEnabled', 'natEnabled', 'crashReportingEnabled']
  // A change is looked at after a second, the soonest that it can be told; our priority is its own.
  return `<configuration version="36">
<folder id="${FOLDER}" path="${root}" type="sendreceive" rescanIntervalS="3600" fsWatcherEnabled="true" fsWatcherDelayS="1">
${peers.map(p => `<device id="${p.id}"/>`).join('\n')}<paused>${own}</paused></folder>
${devices.join('\n')}
<gui enabled="true" tls="false"><address>127.0.0.1:${api}</address><apikey>${KEY}</apikey></gui>
<options><listenAddress>tcp://127.0.0.1:${port}</listenAddress>
${off.map(name => `<${name}>false</${name}>`).join('')}<startBrowser>false</startBrowser><urAccepted>-1</urAccepted>
<autoUpgradeIntervalH>0</autoUpgradeIntervalH><reconnectionIntervalS>1</reconnectionIntervalS><setLowPriority>false</setLowPriority>
</options></configuration>
`
}
