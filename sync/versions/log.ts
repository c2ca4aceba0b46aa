import { type AbortOptions, isWithin, type RelPath } from '../../storage/base/index.js'
import type { VersionList } from '../../storage/files/index.js'
import { TreeThen } from './as-of.js'
import { parseLine, type VersionLine } from './line.js'

/** Read at once of a list. */
const PIECE_BYTES = 1024 * 1024
const DAY_LIST = /^\d{4}-\d{2}-\d{2}$/
/** The list that says how far back the others reach. */
export const SINCE_LIST = 'since'

/** Where the lists of an end are read: `FileRoot.versions`, or a folder that is only read. */
export interface VersionLists {
  lists(options?: AbortOptions): Promise<readonly VersionList[]>
  read(list: string, range: { position: number; maxBytes: number } & AbortOptions): Promise<Uint8Array>
}

/** How far back the lines reach. */
export interface Reach {
  /** When the first line was written. */
  readonly begunMs: number
  /** From this moment on the folder is known. */
  readonly sinceMs: number
  /** Up to this moment versions were thinned by stretches of the clock: before it only their beginnings are exact. */
  readonly thinnedMs: number
}

/** A run that changed something at this end: a moment that can be gone back to. */
export interface Snapshot {
  readonly run: string
  readonly firstMs: number
  readonly lastMs: number
  readonly changes: number
}

/** One earlier state of a path. */
export interface PathVersion extends VersionLine {
  /** The name it had when this line was written: it may have been moved since. */
  readonly path: RelPath
}

/** The lines of one end, read. */
export class VersionLog {
  readonly #lists: VersionLists

  constructor(lists: VersionLists) {
    this.#lists = lists
  }

  /** Every line, newest first. One that cannot be read is passed over: a crash cut it off, and nothing was done then. */
  async *newestFirst(options: AbortOptions = {}): AsyncGenerator<VersionLine> {
    for (const list of (await this.dayLists(options)).reverse())
      for await (const text of this.backwards(list, options)) {
        const line = parseLine(text)
        if (line !== undefined) yield line
      }
  }

  /** What there was of `path` and of everything below it, newest first, under whatever names. */
  async *versionsOf(path: RelPath, options?: AbortOptions): AsyncGenerator<PathVersion> {
    let paths: readonly RelPath[] = [path]
    for await (const lines of together(this.newestFirst(options))) {
      // What bears the name now bore another; a folder above it may have been moved as a whole.
      const renamed = paths.map(p => nameBefore(p, lines))
      for (const line of lines) {
        const { to, was } = line
        if (to !== undefined ? paths.some(p => isWithin(p, to)) : was !== null && isOf(line.path, paths, renamed))
          yield line
      }
      paths = renamed
    }
  }

  /** The runs that changed something here, newest first. */
  async *snapshots(options?: AbortOptions): AsyncGenerator<Snapshot> {
    let current: Snapshot | undefined
    for await (const { run, atMs } of this.newestFirst(options)) {
      if (current?.run === run) current = { ...current, firstMs: atMs, changes: current.changes + 1 }
      else {
        if (current !== undefined) yield current
        current = { run, firstMs: atMs, lastMs: atMs, changes: 1 }
      }
    }
    if (current !== undefined) yield current
  }

  /** Undefined when nothing was ever written down here. */
  async reach(options: AbortOptions = {}): Promise<Reach | undefined> {
    const said = (await this.#lists.lists(options)).find(({ name }) => name === SINCE_LIST)
    if (said !== undefined)
      for await (const text of this.backwards(said, options)) {
        const reach = parseReach(text)
        if (reach !== undefined) return reach
      }
    // Without it only the lines themselves tell: what was before the oldest, nobody knows.
    let oldest: number | undefined
    for (const list of await this.dayLists(options)) {
      for await (const text of this.backwards(list, options)) oldest = parseLine(text)?.atMs ?? oldest
      if (oldest !== undefined) return { begunMs: oldest, sinceMs: oldest, thinnedMs: oldest }
    }
    return undefined
  }

  /** Oldest first. */
  protected async dayLists(options: AbortOptions = {}): Promise<VersionList[]> {
    const lists = (await this.#lists.lists(options)).filter(({ name }) => DAY_LIST.test(name))
    return lists.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** The lines of a list from its end, without line feeds. */
  protected async *backwards({ name, sizeBytes }: VersionList, { signal }: AbortOptions): AsyncGenerator<string> {
    let rest = Buffer.alloc(0)
    for (let end = sizeBytes; end > 0; ) {
      const position = Math.max(0, end - PIECE_BYTES)
      const piece = await this.#lists.read(name, { position, maxBytes: end - position, ...(signal && { signal }) })
      end = position
      const bytes = Buffer.concat([piece, rest])
      const first = position === 0 ? 0 : bytes.indexOf(0x0a) + 1
      rest = first > 0 ? bytes.subarray(0, first) : position === 0 ? Buffer.alloc(0) : bytes
      if (first === 0 && position > 0) continue // not one whole line in it
      const lines = bytes.subarray(first).toString('utf8').split('\n').reverse()
      for (const line of lines) if (line !== '') yield line
    }
  }
}

/** Lines that happened at once, as one. */
async function* together(lines: AsyncIterable<VersionLine>): AsyncGenerator<readonly VersionLine[]> {
  let group: VersionLine[] = []
  for await (const line of lines) {
    const [first] = group
    const joins =
      first !== undefined && line.group !== undefined && line.group === first.group && line.run === first.run
    if (!joins && group.length > 0) yield group
    group = joins ? [...group, line] : [line]
  }
  if (group.length > 0) yield group
}

/** The name that something had before moves which happened at once: the inmost that carried it tells. */
function nameBefore(path: RelPath, lines: readonly VersionLine[]): RelPath {
  const by = lines
    .filter(({ to }) => to !== undefined && isWithin(path, to))
    .reduce<VersionLine | undefined>((a, b) => (a === undefined || b.to!.length > a.to!.length ? b : a), undefined)
  return by === undefined ? path : ((by.path + path.slice(by.to!.length)) as RelPath)
}

/** Whether a line is about something at or below one of the names, those of before or those of after. */
const isOf = (path: RelPath, after: readonly RelPath[], before: readonly RelPath[]): boolean =>
  [...after, ...before].some(p => isWithin(path, p))

/** The lines of several ends, newest first. */
export async function* mergedLines(
  logs: readonly Pick<VersionLog, 'newestFirst'>[],
  options: AbortOptions = {}
): AsyncGenerator<{ readonly line: VersionLine; readonly log: number }> {
  const heads = logs.map(log => log.newestFirst(options))
  try {
    const next = await Promise.all(heads.map(head => head.next()))
    for (;;) {
      let newest = -1
      for (const [i, { done, value }] of next.entries())
        if (done !== true && (newest < 0 || value.atMs > next[newest]!.value.atMs)) newest = i
      if (newest < 0) return
      yield { line: next[newest]!.value as VersionLine, log: newest }
      next[newest] = await heads[newest]!.next()
    }
  } finally {
    for (const head of heads) await head.return(undefined)
  }
}

/**
 * The folder as it was at a moment: after whatever happened at `atMs`, before what came later.
 * @param logs - those of both ends where each keeps what the other made it lose
 */
export async function treeThen(logs: readonly VersionLog[], atMs: number, options?: AbortOptions): Promise<TreeThen> {
  const then = new TreeThen()
  for await (const { line } of mergedLines(logs, options)) {
    if (line.atMs <= atMs) break
    then.undo(line)
  }
  return then
}

export const formatReach = ({ begunMs: begun, sinceMs: since, thinnedMs: thinned }: Reach): string =>
  `${JSON.stringify({ v: 1, begun, since, thinned })}\n`

function parseReach(text: string): Reach | undefined {
  try {
    const { v, begun, since, thinned } = JSON.parse(text) as Record<string, unknown>
    const [begunMs, sinceMs, thinnedMs] = [begun, since, thinned].map(n =>
      Number.isSafeInteger(n) ? (n as number) : -1
    )
    return v === 1 && begunMs! >= 0 && sinceMs! >= 0 && thinnedMs! >= 0
      ? { begunMs: begunMs!, sinceMs: sinceMs!, thinnedMs: thinnedMs! }
      : undefined
  } catch {
    return undefined
  }
}
