/** Scenarios of copying on this device, each against the same work by `cp -a` + `sync -f`. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { copyBaselineMs, settle } from './baseline.js'
import { type Bench, type BenchContext, type Figures, median, timed } from './bench.js'
import { countEntries, makeBigFile } from './trees.js'
import { round, withNode } from './with-node.js'

const ROUNDS = 5
const BIG_BYTES = 1024 ** 3
const QUICK_BIG_BYTES = 64 * 1024 ** 2

/** The first copy of a node waits for its threads: what that takes is told by itself (`firstMs`). */
function tiny(dir: string): string {
  const path = join(dir, 'tiny')
  writeFileSync(path, 'tiny')
  return path
}

/** A copy takes turns with `cp -a`, each into a folder of its own; then the same again with `--verify`. */
async function copyAgainstCp({ dir, quick }: BenchContext, source: string): Promise<Figures> {
  return withNode(dir, async node => {
    const [ours, verified, theirs]: [number[], number[], number[]] = [[], [], []]
    const firstMs = await timed(() =>
      node.call('file.copy', { sources: [tiny(dir)], destination: join(dir, 'tiny-copy') })
    )
    for (let i = 0; i < (quick ? 1 : ROUNDS); i++) {
      for (const [list, verify] of [
        [ours, false],
        [verified, true]
      ] as const) {
        settle(dir)
        const destination = join(dir, `ours-${i}-${verify}`)
        list.push(await timed(() => node.call('file.copy', { sources: [source], destination, verify })))
      }
      theirs.push(await copyBaselineMs(source, join(dir, `theirs-${i}`)))
    }
    const [oursMs, verifyMs, baselineMs] = [median(ours), median(verified), median(theirs)]
    return {
      ...{
        entries: countEntries(source),
        ms: round(oursMs),
        baselineMs: round(baselineMs),
        ratio: round(oursMs / baselineMs)
      },
      ...{ verifyMs: round(verifyMs), verifyRatio: round(verifyMs / oursMs), firstMs: round(firstMs) }
    }
  })
}

const tree: Bench = {
  name: 'copy-tree',
  what: 'file copy of a real tree, durable, and the same with --verify',
  run: async context => copyAgainstCp(context, await context.tree('real'))
}

const big: Bench = {
  name: 'copy-big',
  what: 'file copy of one file of 1 GiB, durable, and the same with --verify',
  async run(context) {
    const source = join(context.dir, 'big')
    await makeBigFile(source, context.quick ? QUICK_BIG_BYTES : BIG_BYTES)
    return copyAgainstCp(context, source)
  }
}

const again: Bench = {
  name: 'copy-again',
  what: 'file copy over a finished copy of a real tree, against `find` looking at every entry of both',
  async run({ dir, quick, tree }) {
    const source = await tree('real')
    const into = join(dir, 'into')
    mkdirSync(into) // it copies into a folder: the second time that is the same place
    return withNode(dir, async node => {
      const copy = () => node.call('file.copy', { sources: [source], destination: into })
      await copy()
      const [ours, theirs]: [number[], number[]] = [[], []]
      for (let i = 0; i < (quick ? 1 : ROUNDS); i++) {
        ours.push(await timed(copy))
        theirs.push(
          await timed(() => {
            for (const at of [source, into]) execFileSync('find', [at, '-printf', '%s %T@\n'], { stdio: 'ignore' })
          })
        )
      }
      const [ms, baselineMs] = [median(ours), median(theirs)]
      return {
        entries: countEntries(source),
        ms: round(ms),
        baselineMs: round(baselineMs),
        ratio: round(ms / baselineMs)
      }
    })
  }
}

const indexedStart: Bench = {
  name: 'copy-indexed-start',
  what: 'file copy of an indexed tree: until the estimate is told, the first byte is written, the first file has its name',
  async run({ dir, quick, tree }) {
    const source = await tree('real')
    return withNode(dir, async node => {
      await node.call('library.create', { name: 'Bench' })
      await node.call('location.add', { path: source, mode: 'shallow', watch: false, wait: true })
      const times = { estimate: [] as number[], byte: [] as number[], file: [] as number[] }
      for (let i = 0; i < (quick ? 1 : ROUNDS); i++) {
        settle(dir)
        const destination = join(dir, `to-${i}`)
        const first: { estimate?: number; byte?: number; file?: number } = {}
        const from = performance.now()
        const off = node.events.onAny(event => {
          if (event.type === 'job:progress' && event.detail !== undefined) first.estimate ??= performance.now() - from
        })
        const looking = setInterval(() => {
          if (first.byte === undefined && holdsFile(dir, STAGING)) first.byte = performance.now() - from
          if (first.file === undefined && holdsFile(dir, basename(destination))) first.file = performance.now() - from
          if (first.file !== undefined) clearInterval(looking)
        }, LOOK_MS)
        await node.call('file.copy', { sources: [source], destination })
        clearInterval(looking)
        off()
        for (const key of ['estimate', 'byte', 'file'] as const) times[key].push(first[key] ?? Number.NaN)
      }
      return {
        firstProgressMs: round(median(times.estimate)),
        firstByteMs: round(median(times.byte)),
        firstFileMs: round(median(times.file))
      }
    })
  }
}

/** How often it is looked whether something is there: the figures are exact to this. */
const LOOK_MS = 2
const STAGING = '.spacedrive-tmp-'

/** Whether a file lies anywhere below what is called so in a folder; what comes and goes meanwhile does not count. */
function holdsFile(dir: string, prefix: string): boolean {
  const folders = readdirSync(dir)
    .filter(name => name.startsWith(prefix))
    .map(name => join(dir, name, prefix === STAGING ? 'tree' : ''))
  try {
    for (const folder of folders) {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory()) folders.push(join(folder, entry.name))
        else if (statSync(join(folder, entry.name)).size > 0) return true
      }
    }
  } catch {
    // Looked at again in a moment.
  }
  return false
}

const moveSameVolume: Bench = {
  name: 'move-same-volume',
  what: 'file move of a real tree within its volume, against `mv` + `sync -f`',
  async run({ dir, quick, tree }) {
    const at = join(dir, 'tree')
    execFileSync('cp', ['-a', await tree('real'), at])
    return withNode(dir, async node => {
      const [ours, theirs]: [number[], number[]] = [[], []]
      for (let i = 0; i < (quick ? 1 : ROUNDS); i++) {
        settle(dir)
        const moved = join(dir, 'moved')
        ours.push(await timed(() => node.call('file.move', { sources: [at], destination: moved })))
        theirs.push(
          await timed(() => {
            execFileSync('mv', [moved, at])
            settle(dir)
          })
        )
      }
      const [ms, baselineMs] = [median(ours), median(theirs)]
      return { ms: round(ms), baselineMs: round(baselineMs), ratio: round(ms / baselineMs) }
    })
  }
}

export const copyBenches: readonly Bench[] = [tree, big, again, indexedStart, moveSameVolume]
