import {
  isWithin,
  joinRel,
  nameOf,
  type Problem,
  parentOf,
  type RelPath,
  SpacedriveError,
  toError
} from '../base/index.js'
import { type Locate, locator, syncStaged } from './batch-durability.js'
import type { EntryStat } from './fingerprint.js'
import { runGroup, syncNames, takeBack } from './group.js'
import { type Group, type Move, removeJournal, seen, writeJournal } from './journal.js'
import { differs } from './look.js'
import { lookAt, placedStat } from './place-step.js'
import type { PlaceResult, PlaceStep } from './place-steps.js'
import { diskError, problemOf } from './problems.js'
import { isRespelling } from './respell.js'
import { ensureSameRoot, type RootAccess } from './root.js'
import { TREE_NAME } from './staging-place.js'
import type { StagingHandle } from './staging-writer.js'

/**
 * See `FileRoot.placeGroup`. Everything becomes a rename that replaces nothing, so that each can be taken back: directories
 * are made and emptied ones put away in the group's own place.
 * @param own - a staging place of this group alone: journal, and what is in between
 */
export function placeGroup(
  access: RootAccess,
  places: ReadonlyMap<string, StagingHandle>,
  own: StagingHandle,
  steps: readonly PlaceStep[]
): PlaceResult[] {
  const { disk, root } = access
  const locate = locator(places, TREE_NAME)
  ensureSameRoot(access)
  syncStaged(access, places, steps, locate)
  const planned = plannedOr(() => planMoves(access, own, steps, locate))
  if (planned instanceof Error) return failed(steps, planned)
  const group: Group = { moves: planned.moves }
  try {
    writeJournal(disk, own.dir, { purpose: 'group', groups: [group] })
    let failure = executeMoves(access, group)
    if (failure === undefined) lookAtPlaced(access, steps, locate, planned)
    const full = failure === undefined && planned.emptied.some(path => disk.list(access.dirs.open(path)).length > 0)
    if (full) failure = undo(access, group, new SpacedriveError('NOT_EMPTY', 'a directory that was to go is not empty'))
    if (failure === undefined) failure = removeEmptied(access, planned.emptied)
    syncNames(access, [group])
    if (failure?.stuck !== undefined) return failed(steps, failure.cause, failure.stuck)
    removeJournal(disk, own.dir)
    if (failure !== undefined) return failed(steps, failure.cause)
    return steps.map((step, i) => succeeded(access, step, i, planned))
  } catch (err) {
    throw diskError('place a group in', root.path, err)
  }
}

interface Failure {
  readonly cause: Error
  /** What could not be put back. The journal stays. */
  readonly stuck?: readonly Problem[]
}

function executeMoves(access: RootAccess, group: Group): Failure | undefined {
  const outcome = runGroup(access, group)
  if (outcome.state === 'completed') return undefined
  return outcome.state === 'stuck' ? { cause: outcome.cause, stuck: outcome.problems } : { cause: outcome.cause }
}

function undo(access: RootAccess, { moves }: Group, cause: Error): Failure {
  const stuck = takeBack(access, moves)
  return stuck.length > 0 ? { cause, stuck } : { cause }
}

/** One by one and never with content: what was put into one at the last moment stays where it is. */
function removeEmptied({ disk, dirs }: RootAccess, emptied: readonly RelPath[]): Failure | undefined {
  for (const path of emptied) {
    try {
      disk.removeDir(dirs.open(parentOf(path)), nameOf(path))
      dirs.forget(path)
    } catch (cause) {
      const err = diskError('remove', path, cause)
      return { cause: err, stuck: [problemOf(path, err)] }
    }
  }
  return undefined
}

interface Planned {
  readonly moves: Move[]
  /** Where directories lie that were removed: empty, or the group is taken back. */
  readonly emptied: RelPath[]
  /** What is placed, as it is when it has its name, by step. */
  readonly staged: Map<number, EntryStat>
  /** What it took away, as it is then. */
  readonly aside: Map<number, EntryStat>
}

/** What a person did meanwhile: to what the group moves, or to a directory on the way to it. */
const OTHERWISE = new Set(['CHANGED', 'MISSING', 'LINK_IN_PATH'])

/** @returns instead of a plan why there is none: what stands there is not what was expected, and none of it is done */
function plannedOr(plan: () => Planned): Planned | SpacedriveError {
  try {
    return plan()
  } catch (err) {
    if (err instanceof SpacedriveError && OTHERWISE.has(err.code)) return err
    throw err
  }
}

function planMoves(access: RootAccess, own: StagingHandle, steps: readonly PlaceStep[], locate: Locate): Planned {
  const moves: Move[] = []
  const emptied: RelPath[] = []
  const staged = new Map<number, EntryStat>()
  const aside = new Map<number, EntryStat>()
  const between = (what: string, i: number): RelPath => joinRel(joinRel(own.rel, TREE_NAME), `${what}-${i}`)
  const see = (path: RelPath, expected?: Move['expected']): EntryStat => {
    const at = lookAt(access, path)
    if (at !== undefined && (expected === undefined || !differs(access, expected, at, false))) return at
    throw new SpacedriveError('CHANGED', `could not place a group: ${path} is not what was expected there`)
  }
  const add = (from: RelPath, to: RelPath, at: EntryStat, expected?: Move['expected']): void => {
    moves.push({ from, to, seen: seen(at), ...(expected !== undefined && { expected }) })
  }
  const sources = new Set(steps.map(s => s.path as string))
  const moved = new Set(steps.flatMap(s => (s.kind === 'move' ? [s.path as string] : [])))
  // Names that swap or turn in a cycle: all leave their names first, then take the new ones. So do all where a new name is
  // made by a link: after a crash the second name is known by lying in our own place.
  // So do all where one lies within another, before the group or after it.
  const nested = isNested(steps)
  const turning =
    nested ||
    !access.root.capabilities.noReplace ||
    steps.some(s => (s.kind === 'move' ? sources.has(s.to) : comes(s) && moved.has(s.path))) ||
    steps.some(s => isRespelling(access.root.capabilities, s))
  const second: { readonly to: RelPath; run(): void }[] = []
  const later = (to: RelPath, from: RelPath, at: EntryStat): void =>
    void second.push({ to, run: () => add(from, to, at) })

  for (const [i, step] of steps.entries()) {
    if (step.kind === 'create') {
      const from = locate(step.from)
      const at = see(from)
      staged.set(i, at)
      later(step.path, from, at)
    } else if (step.kind === 'replace' || step.kind === 'remove') {
      const to = locate(step.aside)
      access.dirs.make(parentOf(to), { durable: true })
      add(step.path, to, see(step.path, step.expected), step.expected)
      if (step.kind === 'replace') {
        const from = locate(step.from)
        const at = see(from)
        staged.set(i, at)
        later(step.path, from, at)
      }
    } else if (step.kind === 'move') {
      const at = see(step.path, step.expected)
      if (!turning) second.push({ to: step.to, run: () => add(step.path, step.to, at, step.expected) })
      else {
        const temp = between('moving', i)
        add(step.path, temp, at, step.expected)
        later(step.to, temp, at)
      }
    } else if (step.kind === 'make-directory') {
      const made = between('made', i)
      access.dirs.make(made)
      const dir = access.dirs.open(made)
      access.disk.setMode(dir, step.mode === undefined ? 0o755 : step.mode & 0o777)
      access.disk.sync(dir)
      later(step.path, made, see(made))
    } else if (step.kind === 'remove-directory') {
      const put = between('removed', i)
      add(step.path, put, see(step.path, { kind: 'directory' }))
      emptied.push(put)
    } else {
      throw new SpacedriveError('NOT_IN_A_GROUP', `expected names to change in a group, got attributes of ${step.path}`)
    }
  }
  if (nested) {
    // What lies within something else leaves it first, and comes after it.
    moves.sort((a, b) => depth(b.from) - depth(a.from))
    second.sort((a, b) => depth(a.to) - depth(b.to))
  }
  for (const { run } of second) run()
  return { moves, emptied, staged, aside }
}

const depth = (path: RelPath): number => path.split('/').length

const comes = ({ kind }: PlaceStep): boolean => kind === 'create' || kind === 'make-directory'

function isNested(steps: readonly PlaceStep[]): boolean {
  const names = steps.flatMap(s => (s.kind === 'move' ? [s.path, s.to] : [s.path]))
  return names.some(a => names.some(b => a !== b && isWithin(a, b)))
}

/** Before anything waits for the disk. */
function lookAtPlaced(access: RootAccess, steps: readonly PlaceStep[], locate: Locate, planned: Planned): void {
  for (const [i, step] of steps.entries()) {
    const staged = planned.staged.get(i)
    if (staged !== undefined) planned.staged.set(i, placedStat(access, step.path, staged))
    const taken = 'aside' in step ? lookAt(access, locate(step.aside)) : undefined
    if (taken !== undefined) planned.aside.set(i, taken)
  }
}

function succeeded(access: RootAccess, step: PlaceStep, index: number, planned: Planned): PlaceResult {
  const { path } = step
  const isGone = step.kind === 'remove' || step.kind === 'remove-directory'
  const now = isGone ? undefined : lookAt(access, step.kind === 'move' ? step.to : path)
  const stat = now && (planned.staged.get(index) ?? now)
  const aside = planned.aside.get(index)
  return { done: true, path, ...(stat !== undefined && { stat }), ...(aside !== undefined && { aside }) }
}

function failed(steps: readonly PlaceStep[], cause: Error, stuck: readonly Problem[] = []): PlaceResult[] {
  return steps.map(({ path }) => {
    const own = stuck.find(problem => problem.path === problemOf(path, cause).path)
    return { done: false, path, problem: own ?? problemOf(path, toError(cause)) }
  })
}
