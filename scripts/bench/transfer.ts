/**
 * The measuring core of the transfer scenarios: two real devices in two processes, real libp2p on loopback, the receiver's
 * content durable. Measured from the acceptance to the sender's knowing that all is placed; the manifest is made before.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { daemonEnvironment, HEAP_FLAGS } from '../../node/cli/local/spawn-daemon.js'
import type { Manifest } from '../../protocols/transfer/index.js'
import type { AbsPath, DeviceId } from '../../storage/base/index.js'
import { connectPeers, pairDirectly, testPeer } from '../../test/peers.js'
import { newId, type TransferDevice, transferDevice } from '../../test/protocols/transfer/devices.js'
import { copyBaselineMs, settle } from './baseline.js'
import { type Bench, type Figures, median } from './bench.js'
import { makeBigFile, makeRealTree, makeSmallFiles } from './trees.js'

/** What one side tells of a transfer. */
export interface Side {
  readonly cpuMs: number
  readonly maxTurnMs: number
  readonly rssMiB: number
}

export interface Order {
  readonly id: string
  readonly from: DeviceId
  readonly manifest: Manifest
  readonly into: AbsPath
}

/** Counts what this process does from now on. */
export function watchSide(): () => Side {
  const cpu = process.cpuUsage()
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  return () => {
    delay.disable()
    const { user, system } = process.cpuUsage(cpu)
    return {
      cpuMs: Math.round((user + system) / 1000),
      maxTurnMs: Math.round(delay.max / 1e6),
      rssMiB: Math.round(process.memoryUsage().rss / 2 ** 20)
    }
  }
}

export interface Measured {
  readonly ms: number
  readonly sender: Side
  readonly receiver: Side
}

/** Two devices, paired and connected; the receiver is a process of its own. */
export async function transferPair(dir: string) {
  const [here, there] = ['sender', 'receiver'].map(name => join(dir, name) as AbsPath)
  for (const path of [here!, there!]) mkdirSync(path)
  const open = (path: AbsPath) => testPeer({ dir: { path, clean() {} } })
  const [a, b] = [await open(here!), await open(there!)]
  await pairDirectly(a, b)
  await connectPeers(a, b)
  const to = b.id
  await b.stop()
  const entry = fileURLToPath(new URL('./transfer-receiver.js', import.meta.url))
  const profile = process.env.BENCH_PROF ? ['--cpu-prof'] : []
  const child = fork(entry, [there!], {
    stdio: 'inherit',
    execArgv: [...HEAP_FLAGS, ...profile],
    env: daemonEnvironment()
  })
  const [ready] = (await once(child, 'message')) as [{ listening: string[] }]
  const device = await transferDevice(a)
  a.network.hint(to, ready.listening)
  await a.network.whenConnected(to)
  return {
    measure: (source: string, into: string) => measure(device, to, child, source as AbsPath, into as AbsPath),
    async stop() {
      child.disconnect()
      await once(child, 'exit')
      await device.stop()
    }
  }
}

async function measure(
  { transfers, peer }: TransferDevice,
  to: DeviceId,
  child: ChildProcess,
  source: AbsPath,
  into: AbsPath
): Promise<Measured> {
  const manifest = await transfers.manifests.build([{ path: source }])
  const id = newId()
  const accepted = once(child, 'message')
  child.send({ id, from: peer.id, manifest, into } satisfies Order)
  await accepted
  const stop = watchSide()
  const from = performance.now()
  const finished = once(child, 'message')
  await transfers.send({ id, device: to, manifest, selection: 'all', owner: 'bench' })
  const ms = performance.now() - from
  const sender = stop()
  const [receiver] = (await finished) as [Side]
  await transfers.manifests.discard(manifest)
  return { ms, sender, receiver }
}

function scenario(
  name: string,
  what: string,
  make: (source: string, quick: boolean) => Promise<number> | number
): Bench {
  return {
    name,
    what,
    async run({ dir, quick, note }): Promise<Figures> {
      const source = join(dir, 'source')
      const mib = await make(source, quick)
      const rounds = quick ? 1 : 5
      const pair = await transferPair(dir)
      const runs: Measured[] = []
      const copies: number[] = []
      try {
        for (let i = 0; i < rounds; i++) {
          const into = join(dir, `in-${i}`)
          mkdirSync(into)
          copies.push(await copyBaselineMs(source, join(dir, `copy-${i}`)))
          settle(dir)
          const run = await pair.measure(source, into)
          note(JSON.stringify(run))
          runs.push(run)
        }
      } finally {
        await pair.stop()
      }
      const baselineMs = median(copies)
      const ms = median(runs.map(r => r.ms))
      return {
        ms: Math.round(ms),
        mibPerSecond: mib === 0 ? null : Math.round((mib / ms) * 1000),
        baselineMs: Math.round(baselineMs),
        ratio: Number((ms / baselineMs).toFixed(2)),
        senderMaxTurnMs: Math.max(...runs.map(r => r.sender.maxTurnMs)),
        receiverMaxTurnMs: Math.max(...runs.map(r => r.receiver.maxTurnMs)),
        senderRssMiB: Math.max(...runs.map(r => r.sender.rssMiB)),
        receiverRssMiB: Math.max(...runs.map(r => r.receiver.rssMiB))
      }
    }
  }
}

export const transferBenches: readonly Bench[] = [
  scenario(
    'transfer-big',
    'one large file to another process over loopback, sealed, verified, durable',
    async (source, quick) => {
      const mib = quick ? 64 : 1024
      await makeBigFile(source, mib * 2 ** 20)
      return mib
    }
  ),
  scenario('transfer-small', '10,000 files of 1 to 16 KiB likewise', (source, quick) => {
    makeSmallFiles(source, quick ? 1_000 : 10_000)
    return 0
  }),
  scenario('transfer-tree', 'a copy of /usr/share likewise', (source, quick) => {
    if (quick) makeSmallFiles(source, 2_000)
    else makeRealTree(source)
    return 0
  })
]
