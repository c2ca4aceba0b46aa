/** Scenarios of syncs with a paired device that run by themselves: two daemons on loopback; the same by others (beside.ts). */
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Instance, syncBoth } from '../instance.js'
import { cpuMsOf, readIf, rested, until, wireBytesOf, writeDurably } from './at-rest.js'
import { settle } from './baseline.js'
import { type Bench, type BenchContext, type Figures, median, percentile, timed } from './bench.js'
import { changesBeside, renames, smallChanges } from './beside.js'
import { withPair } from './pairs.js'
import { heldBy, maxResidentMiB } from './resident.js'
import { countEntries, makeBigFile, makeFolders, makeRealTree } from './trees.js'
import { round } from './with-node.js'

const FOLDERS = 50
const FILES = 1_000
const CHANGES = 50
const IDLE_MS = 10_000
/** Two windows in which work is looked for (storage/base/rest-watch.ts), and some more. */
const REST_MS = 75_000
const [SYNCS, QUICK_SYNCS, FILES_EACH] = [100, 5, 100]
const BIG_BYTES = 2 ** 30

/** Two folders in step, and what keeps them so. */
interface InStep {
  readonly here: string
  readonly there: string
  /** Of both daemons. */
  cpuMs(): number
  wireBytes(): number | undefined
  readonly pids: readonly number[]
}

/** @param count - how many syncs, each with a folder of its own at both ends; the first is the one that is told of */
async function inStep(
  { dir, note }: BenchContext,
  { count = 1, fill }: { count?: number; fill(folder: string): Promise<void> | void },
  body: (pair: InStep) => Promise<Figures>
): Promise<Figures> {
  const roots = Array.from({ length: count }, (_, i) => [join(dir, `here-${i}`), join(dir, `there-${i}`)] as const)
  for (const [here, there] of roots) {
    mkdirSync(here)
    mkdirSync(there)
    await fill(here)
  }
  settle(dir)
  return withPair(dir, async (a, b) => {
    const listening = new AbortController()
    const events = await a.client.events(['sync:finished'], { signal: listening.signal })
    const waiting = new Set(roots.map((_, i) => `sync-${i}`))
    for (const [i, [here, there]] of roots.entries())
      await syncBoth(`sync-${i}`, { device: a, root: here }, { device: b, root: there })
    for await (const event of events) {
      const { name, state } = event as unknown as { name: string; state: string }
      if (state === 'converged') waiting.delete(name)
      if (waiting.size === 0) break
    }
    listening.abort()
    const pids = [await pidOf(a), await pidOf(b)]
    const port = (await a.address()).split('/')[4]!
    const cpuMs = (): number => cpuMsOf(pids)
    await rested(cpuMs)
    note('in step')
    const [[here, there]] = roots as [(typeof roots)[0]]
    return body({ here, there, cpuMs, pids, wireBytes: () => wireBytesOf(port) })
  })
}

/** Where `inStep` made the folder that it is told of. */
const sourceIn = ({ dir }: BenchContext): string => join(dir, 'here-0')

const pidOf = async (of: Instance): Promise<number> =>
  ((await of.client.call('system.status', {})) as { pid: number }).pid

const one: Bench = {
  name: 'remote-one',
  what: 'in the background, with a paired device: one changed file of 100 bytes among 50,000; against the same write made durable',
  async run(context) {
    const fill = (folder: string): void => makeFolders(folder, FOLDERS, context.quick ? 20 : FILES)
    const figures = await inStep(context, { fill }, async ({ here, there, cpuMs, wireBytes }) => {
      const [ours, theirs]: [number[], number[]] = [[], []]
      const [before, sent] = [cpuMs(), wireBytes()]
      for (let i = 0; i < (context.quick ? 10 : CHANGES); i++) {
        const [from, to] = i % 2 === 0 ? [here, there] : [there, here]
        const path = `d${i % FOLDERS}/changed`
        const text = String(i).padEnd(100, '.')
        const write = (): void => writeFileSync(join(from, path), text)
        ours.push(await until(write, () => readIf(join(to, path)) === text))
        theirs.push(await timed(() => writeDurably(join(context.dir, `theirs-${i}`), text)))
        await sleep(100)
      }
      const [used, bytes] = [cpuMs() - before, wireBytes()]
      return {
        ...{ changes: ours.length, p50Ms: round(median(ours)), p95Ms: round(percentile(ours, 95)) },
        ...{ cpuMsEach: round(used / ours.length), baselineMs: round(median(theirs)) },
        wireBytesEach: bytes === undefined || sent === undefined ? null : Math.round((bytes - sent) / ours.length)
      }
    })
    return { ...figures, ...(await changesBeside(context, sourceIn(context), smallChanges('d0/changed'))) }
  }
}

const rename: Bench = {
  name: 'remote-rename',
  what: 'in the background, with a paired device: a file of 1 GiB and a folder of 50,000 files get other names',
  async run(context) {
    const { quick } = context
    const fill = async (folder: string): Promise<void> => {
      makeFolders(join(folder, 'folder'), FOLDERS, quick ? 20 : FILES)
      await makeBigFile(join(folder, 'big.bin'), quick ? BIG_BYTES / 64 : BIG_BYTES)
    }
    const figures = await inStep(context, { fill }, async ({ here, there, cpuMs, wireBytes }) => {
      const figures: Figures = { bytes: statSync(join(here, 'big.bin')).size }
      for (const [what, from, to] of [
        ['file', 'big.bin', 'renamed.bin'],
        ['folder', 'folder', 'renamed']
      ] as const) {
        const [used, sent] = [cpuMs(), wireBytes()]
        const move = (): void => renameSync(join(here, from), join(here, to))
        const isThere = (): boolean => existsSync(join(there, to)) && !existsSync(join(there, from))
        figures[`${what}Ms`] = round(await until(move, isThere))
        const bytes = wireBytes()
        figures[`${what}WireBytes`] = bytes === undefined || sent === undefined ? null : bytes - sent
        await rested(cpuMs)
        figures[`${what}CpuMs`] = cpuMs() - used
        const after = wireBytes()
        figures[`${what}WireBytesUntilRest`] = after === undefined || sent === undefined ? null : after - sent
      }
      return figures
    })
    const changes = [renames('File', 'renamed.bin', 'again.bin'), renames('Folder', 'renamed', 'again')]
    return { ...figures, ...(await changesBeside(context, sourceIn(context), changes)) }
  }
}

const idle: Bench = {
  name: 'remote-many-idle',
  what: '100 syncs with a paired device, each of 100 files, in which nothing happens',
  run(context) {
    const count = context.quick ? QUICK_SYNCS : SYNCS
    const fill = (folder: string): void => makeFolders(folder, 1, FILES_EACH)
    return inStep(context, { count, fill }, async ({ cpuMs, wireBytes, pids }) => {
      const [used, sent] = [cpuMs(), wireBytes()]
      await sleep(IDLE_MS)
      const seconds = IDLE_MS / 1_000
      const bytes = wireBytes()
      return {
        syncs: count,
        cpuMsPerSecond: round((cpuMs() - used) / seconds),
        wireBytesPerSecond: bytes === undefined || sent === undefined ? null : Math.round((bytes - sent) / seconds),
        maxResidentMiB: Math.max(...pids.map(pid => maxResidentMiB(pid))),
        ...(await heldAtRest(pids, context))
      }
    })
  }
}

const memory: Bench = {
  name: 'remote-memory',
  what: 'most memory of two daemons that bring a copy of /usr/share in step, and what they hold at rest before and after',
  async run(context) {
    const { dir, quick, note } = context
    const here = join(dir, 'here')
    if (quick) makeFolders(here, FOLDERS, 20)
    else makeRealTree(here)
    settle(dir)
    return withPair(dir, async (a, b) => {
      const pids = [await pidOf(a), await pidOf(b)]
      const before = heldBy(pids)
      const listening = new AbortController()
      const events = await a.client.events(['sync:finished'], { signal: listening.signal })
      await syncBoth('memory', { device: a, root: here }, { device: b, root: join(dir, 'there') })
      await events.next()
      listening.abort()
      await rested(() => cpuMsOf(pids))
      note('in step')
      const [driver, server] = pids.map(pid => maxResidentMiB(pid)) as [number, number]
      const { residentMiB, openFiles } = before
      const most = { maxDriverMiB: driver, maxServerMiB: server, moreMiB: Math.max(driver, server) - residentMiB }
      return {
        entries: countEntries(here),
        idleMiB: residentMiB,
        ...most,
        openFiles,
        ...(await heldAtRest(pids, context))
      }
    })
  }
}

/** After work and a minute or two without any: what was taken for it was given back. */
async function heldAtRest(pids: readonly number[], { quick }: BenchContext): Promise<Figures> {
  await sleep(quick ? 0 : REST_MS)
  const { residentMiB, threads, openFiles } = heldBy(pids)
  return { restedMiB: residentMiB, restedThreads: threads, restedOpenFiles: openFiles }
}

export const remoteBackgroundBenches: readonly Bench[] = [one, rename, idle, memory]
