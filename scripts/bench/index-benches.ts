/** Scenarios of the index: how fast a tree is taken up, looked at again and searched, on a real tree and on a wide one. */
import { execFileSync } from 'node:child_process'
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { IndexReport } from '../../storage/indexer/index.js'
import type { SearchFilters } from '../../storage/search/index.js'
import { openSqlite } from '../../storage/sql/index.js'
import { type Bench, type BenchContext, type Figures, median, percentile, type TreeKind, timed } from './bench.js'
import { type IndexSetup, indexSetup } from './index-setup.js'
import { memoryBench } from './memory.js'
import { maxResidentMiB } from './resident.js'
import { turnsDuring } from './turns.js'

const round = (value: number, digits = 0): number => Number(value.toFixed(digits))
const perSecond = (count: number, ms: number): number => Math.round((count / ms) * 1000)

/** The same entries seen by `find`, which looks at each as well and keeps nothing. */
const findMs = (tree: string): Promise<number> =>
  timed(() => execFileSync('find', [tree, '-printf', '%s %T@ %i\n'], { stdio: ['ignore', 'ignore', 'ignore'] }))

/** The same by Node itself, in one thread. */
const walkMs = (tree: string): Promise<number> =>
  timed(() => {
    const open = [tree]
    for (let dir = open.pop(); dir !== undefined; dir = open.pop()) {
      for (const name of readdirSync(dir))
        if (lstatSync(`${dir}/${name}`, { bigint: true }).isDirectory()) open.push(`${dir}/${name}`)
    }
  })

/** As many rows put into a plain table with one index, 5,000 to a transaction. */
function insertsMs(dir: string, count: number): Promise<number> {
  const sql = openSqlite(join(dir, 'plain.db'), { synchronous: 'NORMAL' })
  sql.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, parent, name, size, mtime); CREATE INDEX i ON t (parent, name)')
  const insert = sql.prepare('INSERT INTO t VALUES (?, ?, ?, ?, ?)')
  return timed(() => {
    for (let from = 0; from < count; from += 5_000) {
      sql.transaction(() => {
        for (let i = from; i < Math.min(count, from + 5_000); i++)
          insert.run([i, Math.floor(i / 100), `file-${i}.txt`, i, 1_700_000_000n])
      })
    }
    sql.close()
  })
}

interface Scene {
  readonly context: BenchContext
  readonly tree: string
  readonly setup: IndexSetup
}

/** Two scenarios of one kind: on a copy of /usr/share, and on 1,000,000 small entries. */
function onBothTrees(name: string, what: string, run: (scene: Scene) => Promise<Figures>): Bench[] {
  const on = (kind: TreeKind, suffix: string, tree: string): Bench => ({
    name: `${name}${suffix}`,
    what: `${what}: ${tree}`,
    async run(context) {
      const tree = await context.tree(kind)
      const setup = await indexSetup(context.dir)
      try {
        return await run({ context, tree, setup })
      } finally {
        await setup.close()
      }
    }
  })
  return [on('real', '', 'a copy of /usr/share'), on('wide', '-wide', '1,000,000 small files in folders of a hundred')]
}

const shallow = onBothTrees(
  'index-shallow',
  'a first index, names and stats only',
  async ({ context, tree, setup }) => {
    const bare = { findMs: await findMs(tree), walkMs: await walkMs(tree) }
    const location = await setup.location(tree, 'shallow')
    const before = maxResidentMiB()
    let report = {} as IndexReport
    let ms = 0
    const turns = await turnsDuring(async () => {
      ms = await timed(async () => {
        report = await setup.indexer.index({ library: setup.library, location })
      })
    })
    const entries = report.files + report.directories
    const namesMs = report.phaseMs.Complete ?? 0
    return {
      entries,
      ms: round(ms),
      entriesPerSecond: perSecond(entries, ms - namesMs),
      searchableMs: round(namesMs),
      ratioToFind: round(ms / bare.findMs, 2),
      ratioToWalk: round(ms / bare.walkMs, 2),
      ratioToInserts: round(ms / (await insertsMs(context.dir, entries)), 2),
      ...turns,
      residentBeforeMiB: before,
      residentMiB: maxResidentMiB(),
      databaseMiB: round((await setup.library.statistics()).databaseBytes / 1024 / 1024)
    }
  }
)

const content = onBothTrees('index-content', 'the hash of every file', async ({ tree, setup }) => {
  const location = await setup.location(tree, 'content')
  const reading = await timed(() => execFileSync('sh', ['-c', 'find "$1" -type f -exec cat {} + | wc -c', 'sh', tree]))
  let report = {} as IndexReport
  const turns = await turnsDuring(async () => {
    report = await setup.indexer.index({ library: setup.library, location })
  })
  const ms = report.phaseMs.Content ?? Number.NaN
  return {
    hashedFiles: report.hashedFiles,
    hashedBytes: report.hashedBytes,
    ms: round(ms),
    filesPerSecond: perSecond(report.hashedFiles, ms),
    ratioToReading: round(ms / reading, 2),
    ...turns,
    residentMiB: maxResidentMiB()
  }
})

const rescan = onBothTrees('rescan', 'a second look, nothing changed', async ({ tree, setup }) => {
  const location = await setup.location(tree, 'shallow')
  await setup.indexer.index({ library: setup.library, location })
  await setup.indexer.settled(setup.library)
  const times: number[] = []
  const finds: number[] = []
  const walks: number[] = []
  let entries = 0
  const turns = await turnsDuring(async () => {
    for (let i = 0; i < 5; i++) {
      times.push(
        await timed(async () => {
          const { files, directories } = await setup.indexer.index({ library: setup.library, location })
          entries = files + directories
        })
      )
    }
  })
  for (let i = 0; i < 5; i++) {
    finds.push(await findMs(tree))
    walks.push(await walkMs(tree))
  }
  const ms = median(times)
  return {
    entries,
    ms: round(ms),
    msFor50000: round((ms * 50_000) / entries),
    ratioToFind: round(ms / median(finds), 2),
    ratioToWalk: round(ms / median(walks), 2),
    ...turns
  }
})

/** Three letters and more: common and rare, parts of words, several words, names as they are. */
const QUERIES =
  'report,invoice-holiday,pho,999,12345,.pdf,index-77,backup,notes music,readme-6,video letter 8,plan-draft,xyzzy,-5000.,ort,config.ts,the,lib,python,COPYING,changelog,icon-theme,doc.gz,man'.split(
    ','
  )
const FILTERS: readonly SearchFilters[] = [
  { kinds: ['folder'] },
  { kinds: ['image'] },
  { extensions: ['pdf'] },
  { extensions: ['png', 'svg'] },
  { largerBytes: 100_000 },
  { modifiedAfterMs: Date.now() + 1_000_000 }
]

const searching = onBothTrees('search', 'searches by name, first 50', async ({ tree, setup, context }) => {
  const location = await setup.location(tree, 'shallow')
  const { files } = await setup.indexer.index({ library: setup.library, location })
  await setup.indexer.settled(setup.library)
  context.note('indexed')
  const ask = (text: string, filters: SearchFilters): Promise<number> =>
    timed(() => setup.search.search(setup.library, { text, filters, limit: 50 }))
  const plain: number[] = []
  const filtered: number[] = []
  const turns = await turnsDuring(async () => {
    await ask('first of a thread', {})
    for (let i = 0; i < (context.quick ? 2 : 10); i++) {
      for (const text of QUERIES) {
        plain.push(await ask(text, {}))
        filtered.push(await ask(text, FILTERS[filtered.length % FILTERS.length]!))
      }
    }
  })
  const like = await timed(() =>
    setup.library.database.get("SELECT count(*) FROM entries WHERE instr(CAST(name AS TEXT), 'report') > 0")
  )
  return {
    entries: files,
    p50Ms: round(percentile(plain, 50), 2),
    p95Ms: round(percentile(plain, 95), 2),
    maxMs: round(percentile(plain, 100), 2),
    filteredP50Ms: round(percentile(filtered, 50), 2),
    filteredP95Ms: round(percentile(filtered, 95), 2),
    ratioToScan: round(percentile(plain, 95) / like, 3),
    ...turns
  }
})

export const indexBenches: readonly Bench[] = [
  ...shallow,
  ...content,
  ...rescan,
  ...searching,
  memoryBench('real'),
  memoryBench('wide')
]
