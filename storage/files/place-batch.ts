import { displayPath, errorCode, isWithin, type Problem, parentOf, type RelPath, toError } from '../base/index.js'
import { ensureBounds, type Locate, locator, syncPlaced, syncStaged } from './batch-durability.js'
import { BatchJournal } from './batch-journal.js'
import type { EntryStat } from './fingerprint.js'
import type { Group } from './journal.js'
import { makeDirectory, removeDirectory, setAttributes } from './place-directory.js'
import { createAcross, removeAcross, replaceAcross, replaceByMoves, replaceGroup } from './place-journaled.js'
import {
  createUnlooked,
  lookAt,
  move,
  placedStat,
  remove,
  replaceByExchange,
  type StepOutcome,
  takeBackCreated
} from './place-step.js'
import type { PlaceResult, PlaceStep, StagedSource } from './place-steps.js'
import { diskError, isFatal, problemOf } from './problems.js'
import { ensureSameRoot, type RootAccess } from './root.js'
import { TREE_NAME } from './staging-place.js'
import type { StagingHandle } from './staging-writer.js'

/** How what a batch places lies there. */
export interface StagedHow {
  /** `Staging.makeDurable` said so of all of it, once it was staged. */
  readonly stagedDurable?: boolean | undefined
}

/** See `FileRoot.place`. @param places - the staging places that the steps name, by id */
export function placeBatch(
  access: RootAccess,
  places: ReadonlyMap<string, StagingHandle>,
  steps: readonly PlaceStep[],
  { stagedDurable = false }: StagedHow = {}
): PlaceResult[] {
  const locate = locator(places, TREE_NAME)
  ensureBounds(access, steps, locate)
  ensureSameRoot(access)
  if (!stagedDurable) syncStaged(access, places, steps, locate)
  const batch = new Batch(access, places, locate, steps)
  const results = batch.all()
  batch.finishDirectories(results)
  try {
    syncPlaced(access, steps, locate)
    batch.journal?.end()
  } catch (err) {
    throw diskError('make durable what was placed in', access.root.path, err)
  }
  return results.map((result, i) => withStat(access, steps[i]!, result, batch.staged.get(i)))
}

type CreateStep = Extract<PlaceStep, { kind: 'create' }>

/** So many names are given in a directory before it is looked at again: what goes astray is taken back within milliseconds. */
const CREATED_A_LOOK = 64

class Batch {
  readonly journal: BatchJournal | undefined
  /** What was placed, as it was when it had its name, or as its attributes were set, by step. */
  readonly staged = new Map<number, EntryStat>()
  readonly #access: RootAccess
  readonly #locate: Locate
  readonly #steps: readonly PlaceStep[]
  readonly #groups = new Map<PlaceStep, Group>()
  /** Paths that did not come to be, and why: what lies below them fails likewise. */
  readonly #missing = new Map<RelPath, Problem>()
  /** Once the disk itself fails, nothing more is tried. */
  #fatal: Problem | undefined
  /** Steps that put something into one directory since it was looked at. */
  #unlooked: number[] = []

  constructor(
    access: RootAccess,
    places: ReadonlyMap<string, StagingHandle>,
    locate: Locate,
    steps: readonly PlaceStep[]
  ) {
    this.#access = access
    this.#locate = locate
    this.#steps = steps
    const [place] = places.values()
    if (place === undefined) return
    this.journal = new BatchJournal(access.disk, place.dir)
    if (access.root.capabilities.exchange) return
    // All in one journal, before the first step: one sync instead of one a file.
    for (const step of steps) {
      if (step.kind !== 'replace') continue
      const group = replaceGroup(access, step.path, locate(step.from), step.expected, this.#aside(step))
      if (group !== undefined) this.#groups.set(step, group)
    }
    this.journal.add([...this.#groups.values()])
  }

  all(): PlaceResult[] {
    const results: PlaceResult[] = []
    for (const [i, step] of this.#steps.entries()) {
      results.push(this.#run(step, i))
      const next = this.#steps[i + 1]
      const goesOn = next?.kind === 'create' && parentOf(next.path) === parentOf(step.path)
      if (!goesOn || this.#unlooked.length >= CREATED_A_LOOK) this.#lookAtDirectory(results)
    }
    return results
  }

  /** What was created through a handle whose directory somebody moved away meanwhile would lie outside. */
  #lookAtDirectory(results: PlaceResult[]): void {
    const created = this.#unlooked.splice(0).map(i => ({ i, step: this.#steps[i] as CreateStep }))
    const [first] = created
    if (first === undefined) return
    const directory = parentOf(first.step.path)
    if (this.#access.dirs.isStill(directory)) return
    for (const { i, step } of created) {
      const { path } = step
      const problem = takeBackCreated(this.#access, path, this.#locate(step.from))
      this.#missing.set(path, problem)
      results[i] = { done: false, path, problem }
    }
    this.#access.dirs.forget(directory)
  }

  #run(step: PlaceStep, index: number): PlaceResult {
    const { path } = step
    const hindered = this.#fatal ?? this.#hindrance(step)
    if (hindered !== undefined) return { done: false, path, problem: { ...hindered, path: displayPath(path) } }
    try {
      const outcome = this.#execute(step, index)
      if (!('problem' in outcome)) return { done: true, path, ...outcome }
      return { done: false, path, problem: outcome.problem, keptAt: this.#kept(outcome.keptAt, index) }
    } catch (failure) {
      const err = diskError('place', path, failure)
      const problem = problemOf(path, err)
      if (isFatal(err)) this.#fatal = problem
      if (step.kind === 'make-directory' || step.kind === 'create') this.#missing.set(path, problem)
      if (step.kind === 'move') this.#missing.set(step.to, problem)
      return { done: false, path, problem }
    }
  }

  /** Times of directories, bottom-up, when nothing is put into them any more. */
  finishDirectories(results: PlaceResult[]): void {
    for (const [i, step] of [...this.#steps.entries()].reverse()) {
      if (step.kind !== 'make-directory' || !results[i]!.done) continue
      if (step.mode === undefined && step.mtimeNs === undefined) continue
      try {
        setAttributes(this.#access, step.path, step)
      } catch (err) {
        results[i] = { done: false, path: step.path, problem: problemOf(step.path, err) }
      }
    }
  }

  #execute(step: PlaceStep, index: number): StepOutcome {
    switch (step.kind) {
      case 'create':
        return this.#orAcross(
          index,
          () => {
            const from = this.#note(index, step.from)
            createUnlooked(this.#access, step.path, from)
            this.#notePlaced(step.path, index)
            this.#unlooked.push(index)
            return {}
          },
          journal => createAcross(this.#access, journal, step.path, this.#locate(step.from))
        )
      case 'replace':
        return this.#orAcross(
          index,
          () => this.#replace(step, index),
          journal =>
            replaceAcross(this.#access, journal, step.path, this.#locate(step.from), step.expected, this.#aside(step))
        )
      case 'remove':
        return this.#orAcross(
          index,
          () => remove(this.#access, step.path, step.expected, this.#aside(step)),
          journal => removeAcross(this.#access, journal, step.path, step.expected, this.#aside(step))
        )
      case 'move':
        return move(this.#access, step.path, step.to, step.expected)
      case 'make-directory':
        makeDirectory(this.#access, step.path)
        return {}
      case 'remove-directory':
        removeDirectory(this.#access, step.path)
        return {}
      case 'attributes':
        this.#noteStat(index, setAttributes(this.#access, step.path, step, step.expected))
        return {}
    }
  }

  #replace(step: Extract<PlaceStep, { kind: 'replace' }>, index: number): StepOutcome {
    const [from, aside] = [this.#note(index, step.from), this.#aside(step)]
    const group = this.#access.root.capabilities.exchange ? undefined : this.#groups.get(step)
    const outcome =
      group === undefined
        ? replaceByExchange(this.#access, step.path, from, step.expected, aside) // without a group it says what is missing
        : replaceByMoves(this.#access, step.path, step.expected, group)
    this.#notePlaced(step.path, index)
    return outcome
  }

  /** @returns where it lies */
  #note(index: number, source: StagedSource): RelPath {
    const from = this.#locate(source)
    this.#noteStat(index, lookAt(this.#access, from))
    return from
  }

  /** It has its name now. */
  #notePlaced(path: RelPath, index: number): void {
    const staged = this.staged.get(index)
    if (staged !== undefined) this.#noteStat(index, placedStat(this.#access, path, staged))
  }

  #noteStat(index: number, stat: EntryStat | undefined): void {
    if (stat !== undefined) this.staged.set(index, stat)
  }

  /** Where the old goes; the way there is made before anything moves. */
  #aside({ aside }: { aside: StagedSource }): RelPath {
    const path = this.#locate(aside)
    this.#access.dirs.make(parentOf(path), { durable: true })
    return path
  }

  /** A rename that crosses a boundary left everything as it was: then by way of a name beside the target. */
  #orAcross(index: number, direct: () => StepOutcome, across: (journal: BatchJournal) => StepOutcome): StepOutcome {
    try {
      return direct()
    } catch (err) {
      if (this.journal === undefined || errorCode(toError(err).cause) !== 'EXDEV') throw err
      const outcome = across(this.journal)
      const { path } = this.#steps[index]!
      const staged = this.staged.get(index)
      // Another file was made of it.
      if (staged !== undefined)
        this.#noteStat(index, placedStat(this.#access, path, { ...staged, inode: 0n, birthNs: 0n }))
      return outcome
    }
  }

  #hindrance(step: PlaceStep): Problem | undefined {
    for (const [path, problem] of this.#missing) {
      if (isWithin(parentOf(step.path), path) || (step.kind === 'move' && isWithin(parentOf(step.to), path))) {
        return problem
      }
    }
    return undefined
  }

  #kept(keptAt: RelPath, index: number): StagedSource | RelPath {
    const step = this.#steps[index]!
    for (const source of ['from' in step ? step.from : undefined, 'aside' in step ? step.aside : undefined]) {
      if (source !== undefined && this.#locate(source) === keptAt) return source
    }
    return keptAt
  }
}

/** The stat that the archive and the index keep: our own steps changed ctime. */
function withStat(
  access: RootAccess,
  step: PlaceStep,
  result: PlaceResult,
  staged: EntryStat | undefined
): PlaceResult {
  if (!result.done || step.kind === 'remove' || step.kind === 'remove-directory') return result
  try {
    const stat = lookAt(access, step.kind === 'move' ? step.to : step.path)
    if (stat === undefined) return result
    return { ...result, stat: staged ?? stat }
  } catch (err) {
    if (isFatal(err)) throw err
    // Its directory went away with it since. It was done, and what it replaced lies aside, which only a result says.
    if (step.kind !== 'create' && step.kind !== 'make-directory') return result
    // Nobody can say that it is there.
    return { done: false, path: step.path, problem: problemOf(step.path, err) }
  }
}
