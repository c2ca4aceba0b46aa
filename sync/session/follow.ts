/** The scan of an end on another device, which tells what changed since it was asked last (docs/decisions/160). */
import { type AbortOptions, type Clock, pathBytes, type RelPath, ROOT } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Endpoint, FollowedEntry, FollowedMove, FollowedPage } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import { following } from './followed.worker.js'
import type { Hint } from './hints.js'
import { ListingRoom } from './listing-room.js'
import { isShown } from './scan.worker.js'
import { endNumber } from './seen.js'
import { snapshotting } from './snapshot.worker.js'

export interface FollowInit extends AbortOptions {
  readonly at: End
  /** Opened for a sync. */
  readonly endpoint: Endpoint
  readonly snapshot: Database
  /** Only there something may have changed. */
  readonly hints: readonly Hint[] | undefined
  /** Everything is to be told, whatever is known. */
  readonly anew?: boolean | undefined
  /** Of who drives: everything is asked for again now and then. Left out: it is not. */
  readonly clock?: Pick<Clock, 'nowMs'> | undefined
  /** So many more were looked at there. */
  onEntries(entries: number): void
}

interface Known {
  readonly mark: string
  readonly placed: number
}

/** Changes that are written in one: nearly every answer. */
const HELD = 4_096
/**
 * After so long everything is asked for once more where all of that end is looked at anyway: what went wrong in these rows without
 * anybody's noticing would be told by no change.
 */
export const WHOLE_AGAIN_MS = 7 * 24 * 60 * 60 * 1000
/** Of hints together: what goes over the wire in one message. */
const MAX_HINT_BYTES = 1024 * 1024

/**
 * Brings the rows of that end up to date. What came is only gone on from once all of an answer is written down: an answer that was cut off is
 * followed by a listing of everything, unless none of it was written yet.
 * @returns folders that were renamed and not looked into
 */
export async function follow(init: FollowInit): Promise<readonly RelPath[]> {
  const { at, snapshot } = init
  const known = snapshot.get<Known>('SELECT mark, placed FROM followed WHERE at = ?', [endNumber(at)])
  const hints = isShort(init.hints) ? init.hints?.filter(h => h.path !== ROOT || h.subtree) : undefined
  const anew = init.anew === true || (hints === undefined && isDue(init))
  await snapshot.write(following.doubt, { at, hints: known === undefined || anew ? undefined : hints })
  const said = anew || known === undefined ? undefined : await ask(init, known, hints)
  const told = said ?? (await ask(init, undefined, undefined))
  if (told === undefined) throw new TypeError('everything was asked for')
  return told
}

function isDue({ at, snapshot, clock }: FollowInit): boolean {
  if (clock === undefined) return false
  const last = snapshot.get<{ ms: number }>('SELECT at_ms AS ms FROM told_whole WHERE at = ?', [endNumber(at)])?.ms
  const now = clock.nowMs()
  return last === undefined || last > now || now - last >= WHOLE_AGAIN_MS // a clock that was put back proves nothing
}

/** @returns undefined: what it speaks of is not what is known here, or more has to be asked for */
async function ask(
  { at, endpoint, snapshot, clock, signal, onEntries }: FollowInit,
  known: Known | undefined,
  hints: readonly Hint[] | undefined
): Promise<readonly RelPath[] | undefined> {
  const asked = known && { since: known.mark, placed: known.placed, hints }
  const pages = endpoint.sync!.follow({ ...asked, signal })
  const listing = new Listing(at, snapshot)
  const changes = new HeldChanges(at, snapshot)
  const room = new ListingRoom(snapshot)
  let whole = false
  for await (const page of pages) {
    switch (page.kind) {
      case 'looked':
        onEntries(page.entries)
        break
      case 'whole':
        whole = true
        await listing.begin()
        break
      case 'since':
        changes.move(page.moves)
        break
      case 'entries': {
        const entries = page.entries.filter(isShown)
        onEntries(0) // looked at already; that something goes on is news
        await room.take(entries.map(e => e.path))
        if (whole) await listing.add(entries)
        else if (!(await changes.add({ ...page, entries }))) return undefined
        break
      }
      case 'gone':
        if (!(await changes.add(page))) return undefined
        break
      case 'end':
        if (whole) await listing.end(page.mark, clock?.nowMs())
        else if (!(await changes.write(page.mark))) return undefined
        return page.later
    }
  }
  throw new TypeError('an answer without an end')
}

/** All there is, in tree order, beside the rows: what is not among it is gone. */
class Listing {
  readonly #at: End
  readonly #snapshot: Database
  #after: RelPath | undefined
  #writing: Promise<unknown> = Promise.resolve()

  constructor(at: End, snapshot: Database) {
    this.#at = at
    this.#snapshot = snapshot
  }

  async begin(): Promise<void> {
    await this.#snapshot.write(following.begin, { at: this.#at })
  }

  async add(entries: readonly FollowedEntry[]): Promise<void> {
    await this.#writing // one page ahead
    const [at, after] = [this.#at, this.#after]
    this.#writing = this.#snapshot.write(snapshotting.walked, { at, path: ROOT, after, entries })
    this.#writing.catch(() => {}) // awaited with the next page
    this.#after = entries.at(-1)?.path ?? after
  }

  async end(mark: string, atMs: number | undefined): Promise<void> {
    await this.#writing
    const [at, after] = [this.#at, this.#after]
    await this.#snapshot.write(snapshotting.walked, { at, path: ROOT, after, entries: [] })
    await this.#snapshot.write(following.end, { at, mark, atMs })
  }
}

/** Changes as they come, written some thousand at a time: few of them in one with the mark. */
class HeldChanges {
  readonly #at: End
  readonly #snapshot: Database
  #moves: readonly FollowedMove[] = []
  #entries: FollowedEntry[] = []
  #gone: RelPath[] = []

  constructor(at: End, snapshot: Database) {
    this.#at = at
    this.#snapshot = snapshot
  }

  move(moves: readonly FollowedMove[]): void {
    this.#moves = moves
  }

  /** @returns whether it fits what is there */
  async add(page: Extract<FollowedPage, { kind: 'entries' | 'gone' }>): Promise<boolean> {
    if (page.kind === 'entries') this.#entries.push(...page.entries)
    else this.#gone.push(...page.paths)
    return this.#entries.length + this.#gone.length < HELD || this.write()
  }

  async write(mark?: string): Promise<boolean> {
    const changes = { at: this.#at, moves: this.#moves, entries: this.#entries, gone: this.#gone, mark }
    this.#moves = []
    this.#entries = []
    this.#gone = []
    return this.#snapshot.write(following.changed, changes)
  }
}

function isShort(hints: readonly Hint[] | undefined): boolean {
  let bytes = 0
  for (const { path } of hints ?? []) bytes += pathBytes(path).length
  return bytes <= MAX_HINT_BYTES
}
