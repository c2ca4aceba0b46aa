import assert from 'node:assert/strict'
import { ENDS } from '../../../sync/reconcile/index.js'
import { FOLDED_PLACES, type History, perform } from './edits.js'
import { Disk, type Ends, World } from './model.js'
import { type Archive, OPTIONS, sync } from './session.js'

/** Two ends in step, each then edited by hand. */
export interface Start {
  readonly ends: Ends
  readonly archive: Archive
}

export function begin({ before, source, destination, identity }: History, fold?: (name: string) => string): Start {
  const world = new World()
  const places = fold === undefined ? undefined : FOLDED_PLACES
  const ends = { source: new Disk(world, 'A', identity), destination: new Disk(world, 'B', identity, fold) }
  for (const e of before) perform(fold === undefined ? ends.source : ends.destination, e, places)
  const { archive } = sync(new Map(), ends, { ...OPTIONS, archive: false })
  assert.deepEqual(ends.source.tree, ends.destination.tree)
  for (const e of source) perform(ends.source, e, places)
  for (const e of destination) perform(ends.destination, e, places)
  return { ends, archive }
}

/** Two ends in step that hold what was built. */
export function agreedOn(
  build: (disk: Disk) => void,
  { identity = true, fold = (name: string): string => name } = {}
): Start {
  const world = new World()
  const ends = { source: new Disk(world, 'A', identity), destination: new Disk(world, 'B', identity, fold) }
  build(ends.source)
  return { ends, archive: sync(new Map(), ends, { ...OPTIONS, archive: false }).archive }
}

export const contentsOf = (ends: Ends): Set<string> => new Set(ENDS.flatMap(e => [...ends[e].contents]))

export function ensureNothingLost(before: ReadonlySet<string>, ends: Ends): void {
  for (const content of before) {
    const kept = ENDS.some(e => ends[e].contents.has(content) || ends[e].versions.has(content))
    assert.ok(kept, `${content} is lost`)
  }
}
