import { once } from 'node:events'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  watch as watchFolder,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { createNode, type SpacedriveNode } from '../../node/index.js'
import { type Bench, median, percentile, type TreeKind } from './bench.js'
import { maxResidentMiB } from './resident.js'
import { countEntries } from './trees.js'
import { turnsDuring } from './turns.js'

/** DESIGN 13: a single change is in the index after 40 ms at the median, a burst 200 ms after its last write. */
const watchingOf = (kind: TreeKind): Bench => ({
  name: kind === 'real' ? 'watch' : 'watch-wide',
  what: `from a system call in a watched tree ${kind === 'real' ? '' : 'of 1,000,000 entries '}to the row in the index: single changes, and a burst; beside it a bare fs.watch`,
  async run({ dir, tree: treeOf, quick, note }) {
    const tree = await treeOf(kind)
    const before = maxResidentMiB()
    const node = await createNode({ dataDir: join(dir, 'data') })
    await node.start()
    try {
      await node.call('library.create', { name: 'Bench' })
      const { location } = await node.call('location.add', { path: tree, mode: 'shallow', wait: true })
      note(`${location.files} files in ${location.directories} folders are watched`)
      const resident = maxResidentMiB() - before
      let single: number[] = []
      const burst: number[] = []
      const turns = await turnsDuring(async () => {
        const here = mkdtempSync(join(tree, 'watched here '))
        single = await singleChanges(node, here, quick ? 40 : 200)
        for (let i = 0; i < (quick ? 2 : 5); i++) burst.push(await burstOf(node, here, i, 2_000))
      })
      const bare = await bareWatch(join(dir, 'bare'), quick ? 40 : 200)
      const round = (ms: number): number => Math.round(ms * 10) / 10
      return {
        entries: countEntries(tree),
        singleMedianMs: round(median(single)),
        singleP95Ms: round(percentile(single, 95)),
        burstMedianMs: round(median(burst)),
        burstMaxMs: round(Math.max(...burst)),
        bareMedianMs: round(median(bare)),
        ratio: round(median(single) / median(bare)),
        ...turns,
        residentMiB: resident
      }
    } finally {
      await node.stop()
    }
  }
})

export const watching = watchingOf('real')
export const watchingWide = watchingOf('wide')

/** Makes, edits, renames and deletes a file, each time waiting for the event of the row that was committed. */
async function singleChanges(node: SpacedriveNode, dir: string, rounds: number): Promise<number[]> {
  const times: number[] = []
  await told(node, 'entry:created', dir, () => {}).catch(() => {})
  for (let i = 0; i < rounds; i++) {
    const file = join(dir, `${i}`)
    times.push(await told(node, 'entry:created', file, () => writeFileSync(file, 'x')))
    times.push(await told(node, 'entry:modified', file, () => appendFileSync(file, 'y')))
    times.push(await told(node, 'entry:moved', `${file}r`, () => renameSync(file, `${file}r`)))
    times.push(await told(node, 'entry:deleted', `${file}r`, () => rmSync(`${file}r`)))
  }
  return times
}

const TOLD_MS = 5_000

function told(
  node: SpacedriveNode,
  type: 'entry:created' | 'entry:modified' | 'entry:moved' | 'entry:deleted',
  path: string,
  act: () => void
): Promise<number> {
  return new Promise((resolve, reject) => {
    const from = performance.now()
    const timer = setTimeout(() => {
      off()
      reject(new Error(`${type} of ${path} was not told within ${TOLD_MS} ms`))
    }, TOLD_MS)
    const off = node.events.on(type, event => {
      if (event.path !== path) return
      clearTimeout(timer)
      off()
      resolve(performance.now() - from)
    })
    act()
  })
}

/** @returns milliseconds from the last write until every file of the burst has its row */
async function burstOf(node: SpacedriveNode, tree: string, round: number, files: number): Promise<number> {
  const dir = join(tree, `burst ${round}`)
  const base = await total(node)
  mkdirSync(dir)
  for (let i = 0; i < files; i++) {
    writeFileSync(join(dir, `${i}`), `${i}`)
    if (i % 50 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  const from = performance.now()
  // The moment of the last commit counts, not that of our question.
  let lastAt = from
  const off = node.events.on('index:changed', () => {
    lastAt = performance.now()
  })
  while ((await total(node)) < base + files) await new Promise(resolve => setTimeout(resolve, 20))
  off()
  return lastAt - from
}

async function total(node: SpacedriveNode): Promise<number> {
  const { locations } = await node.call('location.list', {})
  return locations[0]!.files
}

/** The same file system and the same machine, with nothing between. */
async function bareWatch(dir: string, rounds: number): Promise<number[]> {
  mkdirSync(dir)
  const watcher = watchFolder(dir)
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const seen = once(watcher, 'change')
    const from = performance.now()
    writeFileSync(join(dir, `${i}`), 'x')
    await seen
    times.push(performance.now() - from)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  watcher.close()
  return times
}
