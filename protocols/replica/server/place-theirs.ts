import {
  type AbsPath,
  displayPath,
  isWithin,
  type Problem,
  type RelPath,
  resolveRel
} from '../../../storage/base/index.js'
import {
  AREA_NAME,
  isTempName,
  type PlaceResult,
  type PlaceStep,
  type StagedSource
} from '../../../storage/files/index.js'
import type { KeptBatch } from '../../../sync/endpoints/index.js'

/** The folder, by where it really lies, and the absolute paths that are this program's own (SYNC.md 9). */
export interface OurPlaces {
  readonly root: AbsPath
  ours(): readonly string[]
}

/** The names that a step gives or takes. */
export const namesOf = (step: PlaceStep): RelPath[] => (step.kind === 'move' ? [step.path, step.to] : [step.path])

/** What it takes from a staging place, or leaves there. */
export const stagedOf = (step: PlaceStep): StagedSource[] => [
  ...('from' in step ? [step.from] : []),
  ...('aside' in step ? [step.aside] : [])
]

/** A path at which nobody else makes or changes anything, or takes content from. */
export const isOurPlace = (path: RelPath, places: OurPlaces): boolean =>
  path.split('/').some(name => name === AREA_NAME || isTempName(name)) || liesInOurs(path, places)

export function liesInOurs(path: RelPath, { root, ours }: OurPlaces): boolean {
  const at = resolveRel(root, path)
  return ours().some(own => isWithin(at, own))
}

/**
 * Places a batch, but for what would touch a place of this program: that stays, and is the problem of its path alone. A scan shows
 * such places as unknown, so the next plan leaves them out; here are those that became ours since. Of a group nothing is done then.
 */
export async function placeTheirs(
  batch: KeptBatch,
  places: OurPlaces,
  place: (batch: KeptBatch) => Promise<readonly PlaceResult[]>
): Promise<readonly PlaceResult[]> {
  const { steps, notes } = batch
  const refused = steps.map(step => refusalOf(step, places))
  const first = refused.find(problem => problem !== undefined)
  if (first === undefined) return place(batch)
  const stays = steps.map(({ path }, i): PlaceResult => ({ done: false, path, problem: refused[i] ?? first }))
  if (batch.group !== undefined) return stays
  const theirs = <T>(list: readonly T[]): T[] => list.filter((_, i) => refused[i] === undefined)
  const done = await place({
    ...{ ...batch, steps: theirs(steps), why: theirs(batch.why), was: theirs(batch.was) },
    ...(notes && { notes: theirs(notes) })
  })
  let next = 0
  return stays.map((stay, i) => (refused[i] === undefined ? done[next++]! : stay))
}

function refusalOf(step: PlaceStep, places: OurPlaces): Problem | undefined {
  const ours = namesOf(step).some(path => isOurPlace(path, places))
  if (!ours && !(step.kind === 'move' && holdsOurs(step.path, places))) return undefined
  const shown = displayPath(step.path)
  const why = ours ? 'it belongs to spacedrive on that device' : 'something in it belongs to spacedrive on that device'
  return {
    ...{ path: shown, code: 'PROTECTED' },
    message: `could not sync ${shown}: ${why}, and stays as it is. A library is let go by \`library close\` there; else leave it out in \`.spacedriveignore\``
  }
}

/** Moved with its folder it would be lost to who has it open. */
function holdsOurs(path: RelPath, { root, ours }: OurPlaces): boolean {
  const at = resolveRel(root, path)
  return ours().some(own => isWithin(own, at))
}
