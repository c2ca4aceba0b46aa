/**
 * The guards of an end that another device drives (SYNC.md 4, PEERS.md 8): its own counts, its own limits. The driver says what a
 * run will take away; that is judged as a whole before anything is done, and no more than that is done.
 */
import { type Clock, displayPath, SpacedriveError, typed } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { AnnouncedRun } from '../endpoints/index.js'
import {
  ContentCounts,
  GUARD_LIMITS,
  GUARD_WINDOW_MS,
  type Halt,
  judge,
  LooseObjects,
  mayForce,
  noTotals,
  type Totals,
  windowStartMs
} from '../reconcile/index.js'
import { haltText } from '../session/index.js'
import { isRefused, type OwnBatch } from './own-batch.js'
import type { ServedSync } from './record.js'
import { servingWrites } from './serving.worker.js'

/** What a run takes away at an end. */
export type Taken = Omit<AnnouncedRun, 'run'>

export interface ServingGuardsInit {
  readonly db: Database
  readonly clock: Clock
  readonly sync: ServedSync
  /** Files that the folder holds now, about. */
  files(): Promise<number>
}

/** What one session of the driver takes away here. */
export class ServingGuards {
  readonly #init: ServingGuardsInit
  readonly #came = new ContentCounts()
  #loose = new LooseObjects()
  #announced: AnnouncedRun | undefined
  #removed = 0
  #replaced = 0
  /** Of what was removed: what may have been replaced as well. See `begin`. */
  #exchanged = 0

  constructor(init: ServingGuardsInit) {
    this.#init = init
  }

  /** @throws {SpacedriveError} GUARD: what a person here has to say yes to */
  async announce(run: AnnouncedRun): Promise<void> {
    const { db, clock, sync } = this.#init
    const { removed, repacked, replaced, directoriesRemoved } = run
    const name = typed(displayPath(sync.name))
    if (repacked > removed) throw beyond()
    const taken: Taken = { removed, repacked, replaced, directoriesRemoved }
    const halts = await this.#judge(taken)
    const allowed = sync.allowed && { planHash: '', totals: totalsOf(sync, sync.allowed) }
    if (halts.length > 0 && !mayForce(totalsOf(sync, taken), allowed)) {
      await db.write(servingWrites.halted, { id: sync.id, taken: JSON.stringify(taken) })
      throw new SpacedriveError('GUARD', halts.map(haltText).join('; '), {
        hint: `What it would do: \`spacedrive sync plan ${name}\`. If that is meant: \`spacedrive sync allow ${name}\` on that device, then \`spacedrive sync run ${name}\` here as it was said now, with --force or without.`
      })
    }
    this.#announced = run
    this.#removed = 0
    this.#replaced = 0
    this.#exchanged = 0
    this.#loose = new LooseObjects()
    await db.write(servingWrites.begin, {
      id: sync.id,
      run: run.run,
      at: clock.nowMs(),
      removed: 0,
      replaced: 0,
      more: 0
    })
  }

  /**
   * Before a batch is done. A group whose names turn replaces a file by removing it under its old name and making it under
   * the new one: as many removals as a group makes files may be replacements, as far as the driver has announced such.
   * @throws {SpacedriveError} GUARD when it goes beyond what was announced
   */
  async begin(batch: Pick<OwnBatch, 'run' | 'steps' | 'contents' | 'group'>): Promise<void> {
    const { db, clock, sync } = this.#init
    const { run, group } = batch
    const announced = this.#announced
    if (announced === undefined || announced.run !== run) throw beyond()
    const packedBefore = this.#loose.count()
    const { created, ...taken } = this.#taken(batch)
    if (group) this.#exchanged += Math.min(created, taken.removed)
    const packed = this.#loose.count()
    // What it calls packed away has to look like it, by the names that go; the rest has to fit the rest.
    const over = (removed: number): number => {
      const all = this.#removed + removed
      return Math.max(0, all - announced.removed, all - packed - (announced.removed - announced.repacked))
    }
    const asReplaced = Math.min(over(taken.removed), this.#exchanged)
    const [removed, replaced] = [taken.removed - asReplaced, taken.replaced + asReplaced]
    if (over(removed) > 0 || this.#replaced + replaced > announced.replaced) throw beyond()
    this.#exchanged -= asReplaced
    this.#removed += removed
    this.#replaced += replaced
    const more = created - taken.gone
    if (removed === 0 && replaced === 0 && more === 0) return
    // More than that where the HEAD of a repository goes after its objects: they count from then on.
    const gone = removed - (packed - packedBefore)
    await db.write(servingWrites.begin, { id: sync.id, run, at: clock.nowMs(), removed: gone, replaced, more })
  }

  /** What the steps of a batch that will be done take away. */
  #taken({
    steps,
    contents
  }: Pick<OwnBatch, 'steps' | 'contents'>): Record<'created' | 'replaced' | 'removed' | 'gone', number> {
    const taken = { created: 0, replaced: 0, removed: 0, gone: 0 }
    steps.forEach((step, i) => {
      if (isRefused(step)) return
      const { came, went } = contents[i]!
      if (step.kind === 'create' || step.kind === 'replace') {
        if (came !== undefined) this.#came.add(came)
        if (step.kind === 'create') taken.created++
        else taken.replaced++
      }
      if (step.kind !== 'remove') return
      taken.gone++
      // What comes back under another name is not gone.
      const counted = went === undefined || !this.#came.take(went)
      if (counted) taken.removed++
      this.#loose.add(step.path, counted)
    })
    return taken
  }

  async #judge(taken: Taken): Promise<readonly Halt[]> {
    const { db, clock, sync, files } = this.#init
    if (taken.removed + taken.replaced + taken.directoriesRemoved === 0) return []
    const from = windowStartMs(clock.nowMs(), sync.windowFromMs, undefined)
    const before = db.get<{ removed: number; replaced: number }>(
      'SELECT total(removed) AS removed, total(replaced) AS replaced FROM served_runs WHERE sync = ? AND began_at >= ?',
      [sync.id, from]
    )
    const nothing = { files: 0, rootEntriesAgreed: 0, rootEntries: 0, removedBefore: 0, replacedBefore: 0 }
    const here = {
      ...nothing,
      ...{ files: await files(), removedBefore: before?.removed ?? 0, replacedBefore: before?.replaced ?? 0 }
    }
    const limits = { ...GUARD_LIMITS, maxDeletePercent: sync.maxDeletePercent ?? GUARD_LIMITS.maxDeletePercent }
    return judge({
      ...{ mode: sync.mode, archive: sync.agreed, totals: totalsOf(sync, taken), limits },
      holds: { source: nothing, destination: nothing, [sync.side]: here }
    })
  }
}

/** Runs that began before this count for nothing any more. */
export const windowSinceMs = (nowMs: number): number => nowMs - GUARD_WINDOW_MS

function totalsOf({ side }: ServedSync, taken: Taken): Totals {
  const none = { operations: 0, conflicts: 0, problems: 0, source: noTotals(), destination: noTotals() }
  return { ...none, [side]: { ...noTotals(), ...taken } }
}

const beyond = (): SpacedriveError =>
  new SpacedriveError('GUARD', 'more was to be deleted or replaced than was said before')
