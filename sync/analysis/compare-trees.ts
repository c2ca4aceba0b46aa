import {
  type AbortOptions,
  type ContentHash,
  comparePaths,
  type RelPath,
  ROOT,
  type WorkerPool
} from '../../storage/base/index.js'
import type { Endpoint, TreeEntry, TreePage } from '../endpoints/index.js'
import { type CompareBy, compareEntries, type Verdict } from './compare.js'
import { contentHashes } from './content-hashes.js'
import { COMPARED_AT_ONCE } from './limits.js'
import type { IndexPlace } from './places.js'

/** One end of a comparison. */
export interface ComparedEnd {
  readonly endpoint: Endpoint
  /** Where an index holds the endpoint's root: its hashes are used where a look confirms them. */
  readonly place?: IndexPlace | undefined
}

export interface CompareTreesInit extends AbortOptions {
  readonly left: ComparedEnd
  readonly right: ComparedEnd
  /** Below both roots. */
  readonly path?: RelPath | undefined
  readonly by: CompareBy
  readonly pool: WorkerPool
}

export interface ComparedPath {
  readonly path: RelPath
  readonly left?: TreeEntry | undefined
  readonly right?: TreeEntry | undefined
  /** `open` only for what is unknown at an end, or could not be read. */
  readonly verdict: Verdict
}

/** Two trees side by side, in tree order, each path that either has. Both are walked at once; nothing but a batch is held. */
export async function* compareTrees(init: CompareTreesInit): AsyncGenerator<readonly ComparedPath[]> {
  const { left, right, path = ROOT, by, signal } = init
  const [a, b] = await Promise.all([left.endpoint.about({ signal }), right.endpoint.about({ signal })])
  const stepNs = a.timeStepNs > b.timeStepNs ? a.timeStepNs : b.timeStepNs
  let batch: ComparedPath[] = []
  for await (const pair of join(left.endpoint.walk(path, { signal }), right.endpoint.walk(path, { signal }))) {
    batch.push({ ...pair, verdict: compareEntries(pair.left, pair.right, by, stepNs) })
    if (batch.length < COMPARED_AT_ONCE) continue
    yield await decided(batch, init)
    batch = []
  }
  if (batch.length > 0) yield await decided(batch, init)
}

/** Reads (or asks the index for) the contents that a verdict needs. */
async function decided(batch: readonly ComparedPath[], init: CompareTreesInit): Promise<readonly ComparedPath[]> {
  const open = batch.filter(({ verdict }) => verdict.is === 'open' && verdict.needs === 'content')
  if (open.length === 0) return batch
  const [left, right] = await Promise.all([
    hashesAt(
      init.left,
      open.map(pair => pair.left!),
      init
    ),
    hashesAt(
      init.right,
      open.map(pair => pair.right!),
      init
    )
  ])
  return batch.map(pair => {
    if (pair.verdict.is !== 'open' || pair.verdict.needs !== 'content') return pair
    const [a, b] = [left.get(pair.path), right.get(pair.path)]
    return {
      ...pair,
      verdict: compareEntries({ ...pair.left!, hash: a }, { ...pair.right!, hash: b }, 'content')
    }
  })
}

async function hashesAt(
  { endpoint, place }: ComparedEnd,
  files: readonly TreeEntry[],
  { pool, signal }: CompareTreesInit
): Promise<Map<RelPath, ContentHash>> {
  const hashes = new Map<RelPath, ContentHash>()
  for await (const one of contentHashes(files, { endpoint, pool, place, signal })) {
    if (one.problem === undefined) hashes.set(one.path, one.hash)
  }
  return hashes
}

/** Merges two streams in tree order. */
async function* join(
  left: AsyncIterable<TreePage>,
  right: AsyncIterable<TreePage>
): AsyncGenerator<{ path: RelPath; left?: TreeEntry; right?: TreeEntry }> {
  const [a, b] = [entriesOf(left), entriesOf(right)]
  try {
    let [x, y] = await Promise.all([a.next(), b.next()])
    while (!x.done || !y.done) {
      const order = x.done ? 1 : y.done ? -1 : comparePaths(x.value.path, y.value.path)
      if (order === 0) {
        yield { path: x.value!.path, left: x.value!, right: y.value! }
        ;[x, y] = await Promise.all([a.next(), b.next()])
      } else if (order < 0) {
        yield { path: x.value!.path, left: x.value! }
        x = await a.next()
      } else {
        yield { path: y.value!.path, right: y.value! }
        y = await b.next()
      }
    }
  } finally {
    await Promise.allSettled([a.return(undefined), b.return(undefined)])
  }
}

async function* entriesOf(pages: AsyncIterable<TreePage>): AsyncGenerator<TreeEntry, undefined> {
  for await (const { entries } of pages) yield* entries
  return undefined
}
