/** Two isolated daemons for the demo and the bench, driven through the command line like a person would. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Client, daemonClient } from '../node/client/index.js'
import { lockFile } from '../node/instance/index.js'
import { type AbsPath, hasCode, packedUrl } from '../storage/base/index.js'
import { acquireLock } from '../storage/sql/index.js'

const CLI = fileURLToPath(packedUrl('node/cli/main.js'))

const ASK_MS = 100
/** A daemon that is about to start answers, or stops, within this, on a machine that has much else to do. */
const END_MS = 60_000

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

export class Instance {
  readonly name: string
  readonly #dataDir: string
  readonly #prefix: readonly string[]
  #starting: Promise<unknown> = Promise.resolve()
  #over = false

  /** @param prefix - what goes before each command: `ip netns exec NAME` */
  constructor(name: string, dataDir: string, prefix: readonly string[] = []) {
    this.name = name
    this.#dataDir = dataDir
    this.#prefix = prefix
  }

  /** Speaks to the daemon without the start of a command in between. */
  get client(): Client {
    return daemonClient(this.#ownDir)
  }

  get #ownDir(): AbsPath {
    return join(this.#dataDir, `instance-${this.name}`) as AbsPath
  }

  /** The program and the whole command line of a command on this instance. */
  args(...command: string[]): [program: string, args: string[]] {
    const all = [process.execPath, CLI, '--instance', this.name, '--data-dir', this.#dataDir, ...command]
    const [program, ...args] = [...this.#prefix, ...all]
    return [program!, args]
  }

  /** What a person would have typed. */
  typed(...command: string[]): string {
    return `spacedrive --instance ${this.name} ${command.map(c => (/[\s"]/.test(c) ? `"${c}"` : c)).join(' ')}`
  }

  run(...command: string[]): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn(...this.args(...command), { stdio: ['ignore', 'pipe', 'pipe'] })
      let stdout = ''
      let stderr = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text
      })
      child.once('error', reject)
      child.once('close', code => resolve({ code: code ?? -1, stdout, stderr }))
    })
  }

  /** Runs a command with --json and gives its last line. @throws when it fails */
  async json<T>(...command: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.run('--json', ...command)
    if (code !== 0) throw new Error(`${this.typed(...command)} ended with ${code}: ${stderr || stdout}`)
    return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as T
  }

  /** Runs a command with --json in the background and hands on each line. */
  follow(
    command: string[],
    onLine: (value: Record<string, unknown>) => void
  ): { child: ChildProcess; ended: Promise<number> } {
    const child = spawn(...this.args('--json', ...command), { stdio: ['ignore', 'pipe', 'inherit'] })
    let rest = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) if (line.trim() !== '') onLine(JSON.parse(line) as Record<string, unknown>)
    })
    return { child, ended: new Promise(resolve => child.once('close', code => resolve(code ?? -1))) }
  }

  /** Runs a command that shares our terminal: its progress bar is seen live. */
  live(...command: string[]): Promise<number> {
    return new Promise((resolve, reject) => {
      const child = spawn(...this.args(...command), { stdio: 'inherit' })
      child.once('error', reject)
      child.once('close', code => resolve(code ?? -1))
    })
  }

  /** @param listen - listens there, and looks for nobody; else on loopback, on another port at each start */
  start(listen?: string): Promise<unknown> {
    if (this.#over) return Promise.reject(new Error(`${this.name} was ended`))
    const where = listen === undefined ? ['--loopback'] : ['--listen', listen, '--no-mdns', '--no-dht']
    const starting = this.json('start', '--enable-networking', ...where)
    this.#starting = starting.catch(() => {})
    return starting
  }

  async address(): Promise<string> {
    const { listening } = await this.json<{ listening: string[] }>('network', 'status')
    const [first] = listening
    if (first === undefined) throw new Error(`${this.name} does not listen anywhere`)
    return first
  }

  /** Ends the daemon, also when we are on our way out; quiet when none runs. */
  stopNow(): void {
    spawnSync(...this.args('stop'), { stdio: 'ignore' })
  }

  /** Ends the daemon for good, one that was just being started too: it may outlive the command that started it. */
  async end(): Promise<void> {
    this.#over = true
    await this.#starting
    for (const began = performance.now(); performance.now() - began < END_MS; await sleep(ASK_MS)) {
      this.stopNow()
      if (!this.#isHeld()) return
    }
    throw new Error(`the daemon of ${this.name} does not stop`)
  }

  /** Whether a process has the data directory. */
  #isHeld(): boolean {
    if (!existsSync(this.#ownDir)) return false
    try {
      acquireLock(lockFile(this.#ownDir), 'a look').release()
      return false
    } catch (err) {
      if (hasCode(err, 'LOCKED')) return true
      throw err
    }
  }
}

/** Until a device is there: a pairing is over a moment before. */
async function connected({ client }: Instance, other: string): Promise<void> {
  for (;;) {
    const { devices } = (await client.call('network.devices', {})) as {
      devices: { name: string; connected: boolean }[]
    }
    if (devices.some(d => d.name === other && d.connected)) return
    await sleep(ASK_MS)
  }
}

/** Pairs two running instances by the words that `a` shows and `b` types; they are connected then. @returns the words and how long `join` took */
export async function pair(a: Instance, b: Instance): Promise<{ words: string; joinMs: number }> {
  let words = ''
  let shown: () => void = () => {}
  const first = new Promise<void>(resolve => {
    shown = resolve
  })
  const generate = a.follow(['network', 'pair', 'generate', '--auto-accept'], line => {
    if (typeof line.words === 'string') {
      words = line.words
      shown()
    }
  })
  await Promise.race([
    first,
    generate.ended.then(code => Promise.reject(new Error(`pair generate ended with ${code}`)))
  ])
  const address = await a.address()
  const from = performance.now()
  await b.json('network', 'pair', 'join', words, '--address', address)
  const joinMs = performance.now() - from
  const code = await generate.ended
  if (code !== 0) throw new Error(`pair generate ended with ${code}`)
  await connected(a, b.name)
  await connected(b, a.name)
  return { words, joinMs }
}

/** A folder of an instance. */
export interface Folder {
  readonly device: Instance
  readonly root: string
}

/**
 * Two folders kept in step both ways from then on: the first device asks, the second accepts. They are connected.
 * @param manual - only `sync run` runs it
 */
export async function syncBoth(
  name: string,
  driver: Folder,
  server: Folder,
  { manual = false }: { manual?: boolean } = {}
): Promise<void> {
  const [ours, theirs] = [driver.device.client, server.device.client]
  const destination = `${server.device.name}:${server.root}`
  await ours.call('sync.add', { name, source: driver.root, destination, mode: 'bidirectional', manual })
  for (;;) {
    const { requests } = (await theirs.call('sync.requests', {})) as { requests: { id: number; name: string }[] }
    const asked = requests.find(r => r.name === name)
    if (asked !== undefined) return void (await theirs.call('sync.accept', { id: asked.id }))
    await sleep(ASK_MS)
  }
}
