/** Scenarios of the index: how fast a tree is taken up, looked at again and searched, and what it costs in memory. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, percentile, timed } from './bench.js'
import { indexSetup, longestTurn, makeWideTree } from './index-setup.js'
import { countEntries, makeRealTree } from './trees.js'

const perSecond = (count: number, ms: number): number => Math.round((count / ms) * 1000)
const maxResidentMiB = (): number =>
  Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024)
/** The same entries seen by `find`, which looks at each as well and keeps nothing. */
const findMs = (tree: string): Promise<number> =>
  timed(() => execFileSync('find', [tree, '-printf', '%s %T@ %i\n'], { stdio: ['ignore', 'ignore', 'ignore'] }))

export const indexShallow: Bench = {
  name: 'index-shallow',
  what: 'a first index of 1,000,000 small entries, names and stats only',
  async run({ dir, quick, note }) {
    const tree = join(dir, 'tree')
    makeWideTree(tree, quick ? 20_000 : 1_000_000)
    const entries = countEntries(tree)
    note(`${entries} entries are made`)
    const baseline = await findMs(tree)
    const setup = await indexSetup(dir)
    try {
      const location = await setup.location(tree, 'shallow')
      const before = maxResidentMiB()
      let ms = 0
      const turnMs = await longestTurn(async () => {
        ms = await timed(() => setup.indexer.index({ library: setup.library, location }))
      })
      const settledMs = await timed(() => setup.indexer.settled(setup.library))
      return {
        entries,
        ms: Math.round(ms),
        entriesPerSecond: perSecond(entries, ms),
        namesSettledMs: Math.round(settledMs),
        ratioToFind: Number((ms / baseline).toFixed(2)),
        longestTurnMs: turnMs,
        residentBeforeMiB: before,
        residentMiB: maxResidentMiB(),
        databaseMiB: Math.round((await setup.library.statistics()).databaseBytes / 1024 / 1024)
      }
    } finally {
      await setup.close()
    }
  }
}

export const indexContent: Bench = {
  name: 'index-content',
  what: 'a copy of /usr/share with the hash of every file',
  async run({ dir }) {
    const tree = join(dir, 'tree')
    makeRealTree(tree)
    const setup = await indexSetup(dir)
    try {
      const location = await setup.location(tree, 'content')
      const b3 = await timed(() => execFileSync('sh', ['-c', 'find "$1" -type f -exec cat {} + | wc -c', 'sh', tree]))
      let report = {} as Awaited<ReturnType<typeof setup.indexer.index>>
      let ms = 0
      const turnMs = await longestTurn(async () => {
        ms = await timed(async () => {
          report = await setup.indexer.index({ library: setup.library, location })
        })
      })
      return {
        entries: report.files,
        hashedFiles: report.hashedFiles,
        hashedBytes: report.hashedBytes,
        ms: Math.round(ms),
        filesPerSecond: perSecond(report.hashedFiles, ms),
        ratioToReading: Number((ms / b3).toFixed(2)),
        longestTurnMs: turnMs
      }
    } finally {
      await setup.close()
    }
  }
}

export const rescan: Bench = {
  name: 'rescan',
  what: 'a second look at 50,000 entries of a real tree, nothing changed',
  async run({ dir }) {
    const tree = join(dir, 'tree')
    makeRealTree(tree)
    const setup = await indexSetup(dir)
    try {
      const location = await setup.location(tree, 'shallow')
      await setup.indexer.index({ library: setup.library, location })
      await setup.indexer.settled(setup.library)
      const times: number[] = []
      const finds: number[] = []
      let entries = 0
      for (let i = 0; i < 5; i++) {
        finds.push(await findMs(tree))
        times.push(
          await timed(async () => {
            entries = (await setup.indexer.index({ library: setup.library, location })).files
          })
        )
      }
      const ms = percentile(times, 50)
      return {
        entries,
        ms: Math.round(ms),
        msFor50000: Math.round((ms * 50_000) / entries),
        ratioToFind: Number((ms / percentile(finds, 50)).toFixed(2))
      }
    } finally {
      await setup.close()
    }
  }
}

export const searchNames: Bench = {
  name: 'search',
  what: 'searches by name among 1,000,000 entries, first 50',
  async run({ dir, quick, note }) {
    const tree = join(dir, 'tree')
    makeWideTree(tree, quick ? 20_000 : 1_000_000)
    const setup = await indexSetup(dir)
    try {
      const location = await setup.location(tree, 'shallow')
      const { files } = await setup.indexer.index({ library: setup.library, location })
      await setup.indexer.settled(setup.library)
      note('indexed')
      const queries =
        'report invoice-holiday photo 999 12345 .pdf index-77 backup notes-music readme-6 video plan-draft xyzzy -5000. ort'
      const times: number[] = []
      for (let i = 0; i < 300; i++) {
        const words = queries.split(' ')
        const text = words[i % words.length]! + (i % 3 === 0 && i > 30 ? ` ${i % 10}` : '')
        times.push(await timed(() => setup.search.search(setup.library, { text, limit: 50 })))
      }
      const scan = await timed(() =>
        setup.library.database.get("SELECT count(*) FROM entries WHERE instr(CAST(name AS TEXT), 'report') > 0")
      )
      return {
        entries: files,
        p50Ms: Number(percentile(times, 50).toFixed(2)),
        p95Ms: Number(percentile(times, 95).toFixed(2)),
        maxMs: Number(percentile(times, 100).toFixed(2)),
        scanMs: Math.round(scan),
        ratioToScan: Number((percentile(times, 95) / scan).toFixed(3))
      }
    } finally {
      await setup.close()
    }
  }
}

export const indexBenches: readonly Bench[] = [indexShallow, indexContent, rescan, searchNames]
