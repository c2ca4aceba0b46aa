import type { AbortOptions, ContentHash } from '../../storage/base/index.js'
import type { VersionArea, VersionList } from '../../storage/files/index.js'
import { parseLine } from './line.js'
import { formatReach, type Reach, SINCE_LIST } from './log.js'
import { isYoung, type Judged, Thinner, type VersionPolicy } from './policy.js'

export interface ThinInit extends AbortOptions {
  /** Of every sync that writes there: what one of them keeps stays. */
  readonly policies: readonly VersionPolicy[]
  /** Which of these contents are the last copy of something that is still wanted (still at the source and not at this end). */
  mustStay(hashes: readonly ContentHash[]): Promise<ReadonlySet<ContentHash>>
}

export interface ThinReport {
  readonly linesDropped: number
  readonly contentsRemoved: number
  readonly bytesFreed: number
}

/** The lists of a store, while nobody else writes into them. */
export interface Thinned {
  readonly nowMs: number
  readonly versions: Pick<VersionArea, 'contents' | 'remove'>
  lists(): Promise<readonly VersionList[]>
  backwards(list: VersionList): AsyncIterable<string>
  reach(): Promise<Reach | undefined>
  write(list: string, text: string): Promise<void>
}

/** A line that the policy does not keep: which one from the end of its list. */
interface Candidate {
  readonly list: string
  readonly index: number
  readonly atMs: number
  readonly hash: ContentHash
}

/** A store is divided by the first two digits of a hash. */
export const PARTS: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))
/** Asked at once whether they must stay. */
const ASK = 1_000

/**
 * What is said of how far back the store reaches comes first, then lists without the lines that go, then contents that no line
 * names: wherever it is cut off, every line that is left has its content, and the next time takes up the rest.
 */
export async function thinStore(store: Thinned, { policies, mustStay, signal }: ThinInit): Promise<ThinReport> {
  const { nowMs } = store
  const thinners = policies.map(policy => new Thinner<Candidate>(policy, nowMs))
  const lists = await store.lists()
  const kept = new Map<ContentHash, number>() // with the time of the oldest line
  // How many policies would let it go: it goes when all do.
  const dropped = new Map<Candidate, number>()
  const keep = ({ hash, atMs }: Candidate): void =>
    void kept.set(hash, Math.min(kept.get(hash) ?? Number.POSITIVE_INFINITY, atMs))
  const sort = (judged: Judged<Candidate>): void => {
    for (const line of judged.keep) keep(line)
    for (const line of judged.drop) dropped.set(line, (dropped.get(line) ?? 0) + 1)
  }
  for (const list of [...lists].reverse()) {
    let index = 0
    for await (const text of store.backwards(list)) {
      const line = parseLine(text)
      const n = index++
      // Damaged, or of a later version of this program: the line stays, so does what it names.
      if (line === undefined) for (const hash of hashesIn(text)) kept.set(hash, kept.get(hash) ?? nowMs)
      if (line?.was?.kind !== 'file') continue
      const candidate = { list: list.name, index: n, atMs: line.atMs, hash: line.was.hash }
      if (thinners.length === 0) keep(candidate)
      for (const thinner of thinners) sort(thinner.next(line.path, line.atMs, candidate))
    }
  }
  for (const thinner of thinners) sort(thinner.end())
  const candidates = [...dropped].filter(([, n]) => n === thinners.length).map(([line]) => line)
  const drop = new Map<string, Set<number>>()
  let oldestKeptMs = nowMs
  for (const atMs of kept.values()) oldestKeptMs = Math.min(oldestKeptMs, atMs)
  let droppedMs = 0
  for (let at = 0; at < candidates.length; at += ASK) {
    const some = candidates.slice(at, at + ASK)
    const stay = await mustStay([...new Set(some.map(c => c.hash))])
    signal?.throwIfAborted()
    for (const { list, index, atMs, hash } of some) {
      if (stay.has(hash)) {
        kept.set(hash, atMs)
        oldestKeptMs = Math.min(oldestKeptMs, atMs)
        continue
      }
      drop.set(list, (drop.get(list) ?? new Set()).add(index))
      droppedMs = Math.max(droppedMs, atMs)
    }
  }
  // Names alone lead nowhere once the contents before them are gone.
  const goes = (list: string, index: number, text: string): number | undefined => {
    if (drop.get(list)?.has(index) === true) return 0
    const line = parseLine(text)
    const idle = line !== undefined && line.was?.kind !== 'file' && line.atMs < oldestKeptMs
    return idle && !policies.some(policy => isYoung(line.atMs, policy, nowMs)) ? line.atMs : undefined
  }
  const changed: VersionList[] = []
  let idleMs = 0
  for (const list of lists) {
    let index = 0
    let went = false
    for await (const text of store.backwards(list)) {
      const atMs = goes(list.name, index++, text)
      if (atMs === undefined) continue
      went = true
      idleMs = Math.max(idleMs, atMs)
    }
    if (went) changed.push(list)
  }
  if (changed.length > 0) await tellReach(store, policies, { idleMs, droppedMs })
  let linesDropped = 0
  for (const list of changed) {
    signal?.throwIfAborted()
    const stays: string[] = []
    let index = 0
    for await (const text of store.backwards(list))
      if (goes(list.name, index++, text) === undefined) stays.push(text)
      else linesDropped++
    await store.write(list.name, stays.length === 0 ? '' : `${stays.reverse().join('\n')}\n`)
  }
  return { linesDropped, ...(await removeUnnamed(store, kept, signal)) }
}

async function tellReach(
  store: Thinned,
  policies: readonly VersionPolicy[],
  { idleMs, droppedMs }: { readonly idleMs: number; readonly droppedMs: number }
): Promise<void> {
  const before = (await store.reach()) ?? { begunMs: 0, sinceMs: 0, thinnedMs: 0 }
  // Stretches leave their beginnings exact; where nothing of the kind stands for what went, the past begins after it.
  const ends = policies.some(p => p.kind === 'staggered') ? idleMs : Math.max(idleMs, droppedMs)
  const sinceMs = Math.max(before.sinceMs, ends)
  const thinnedMs = Math.max(before.thinnedMs, sinceMs, droppedMs)
  if (sinceMs === before.sinceMs && thinnedMs === before.thinnedMs) return
  await store.write(SINCE_LIST, formatReach({ begunMs: before.begunMs, sinceMs, thinnedMs }))
}

/** Whatever looks like one. */
const hashesIn = (text: string): ContentHash[] => (text.match(/[0-9a-f]{64}/g) ?? []) as ContentHash[]

/** Contents that no line names any more. Lines are there before contents, so one on its way in is never met here. */
async function removeUnnamed(
  { versions }: Thinned,
  kept: ReadonlyMap<ContentHash, unknown>,
  signal: AbortSignal | undefined
): Promise<Pick<ThinReport, 'contentsRemoved' | 'bytesFreed'>> {
  let contentsRemoved = 0
  let bytesFreed = 0
  const options = { ...(signal && { signal }) }
  for (const part of PARTS) {
    const gone = (await versions.contents(part, options)).filter(({ hash }) => !kept.has(hash))
    if (gone.length === 0) continue
    contentsRemoved += await versions.remove(
      gone.map(({ hash }) => hash),
      options
    )
    for (const { sizeBytes } of gone) bytesFreed += sizeBytes
  }
  return { contentsRemoved, bytesFreed }
}
