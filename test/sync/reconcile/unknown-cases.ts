import assert from 'node:assert/strict'
import fc from 'fast-check'
import { nameOf, parentOf, type RelPath } from '../../../storage/base/index.js'
import { ENDS, type End, otherEnd } from '../../../sync/reconcile/index.js'
import { edit, history, perform } from './edits.js'
import { Disk, type Ends, type Item, path, World } from './model.js'
import { type Archive, OPTIONS, sync } from './session.js'

/** What a person or a program does so that something can no longer be known. */
const veil = fc.record({
  what: fc.constantFrom('special', 'unreadable', 'veil'),
  end: fc.constantFrom(...ENDS),
  a: fc.nat(1000),
  inside: fc.nat(3)
})
type Veil = typeof veil extends fc.Arbitrary<infer T> ? T : never

/** Rules as people have them: a name anywhere, a place, or none. */
const RULES = [
  () => false,
  (p: RelPath) => nameOf(p) === 'x',
  (p: RelPath) => nameOf(p) === 'p' || p === 'c',
  (p: RelPath) => p === 'a/x' || p === 'b/y' || p === 'd',
  (p: RelPath) => p === 'b' || nameOf(p) === 'y'
] as const

export const cases = fc.record({
  h: history,
  late: fc.array(fc.tuple(fc.constantFrom(...ENDS), edit), { maxLength: 4 }),
  veils: fc.array(veil, { maxLength: 4 }),
  rule: fc.nat(RULES.length - 1),
  /** The rules were there before the ends agreed. */
  early: fc.boolean(),
  fails: fc.oneof(fc.constant([]), fc.array(fc.nat(20), { maxLength: 4 }))
})
export type UnknownCase = typeof cases extends fc.Arbitrary<infer T> ? T : never

export interface Start {
  readonly ends: Ends
  readonly archive: Archive
  /** Inodes by path, when both ends agreed. */
  readonly agreed: Record<End, ReadonlyMap<RelPath, bigint>>
}

export function begin({ h, late, veils, rule, early }: UnknownCase): Start {
  const world = new World()
  const ends = { source: new Disk(world, 'A', h.identity), destination: new Disk(world, 'B', h.identity) }
  for (const e of h.before) perform(ends.source, e)
  if (early) for (const end of ENDS) ends[end].ignores = RULES[rule]!
  const { archive } = sync(new Map(), ends, { ...OPTIONS, archive: false, ignores: ends.source.ignores })
  const inodes = (end: End) => new Map([...ends[end].items].map(([p, item]) => [p, item.inode]))
  const agreed = { source: inodes('source'), destination: inodes('destination') }
  for (const end of ENDS) ends[end].ignores = RULES[rule]!
  for (const e of h.source) perform(ends.source, e)
  for (const e of h.destination) perform(ends.destination, e)
  for (const v of veils) draw(ends[v.end], v)
  for (const [end, e] of late) perform(ends[end], e)
  return { ends, archive, agreed }
}

function draw(disk: Disk, { what, a, inside }: Veil): void {
  const there = [...disk.items.keys()].filter(p => !disk.isHidden(p)).sort()
  const some = there[a % Math.max(1, there.length)]
  if (what === 'veil') {
    const item = some === undefined ? undefined : disk.items.get(some)!
    if (item !== undefined && item.kind !== 'symlink') disk.veiled.add(item.inode)
    return
  }
  const holder = some !== undefined && disk.items.get(some)!.kind === 'directory' ? `${some}/` : ''
  const at = path(`${holder}${['x', 'y', 'a', 's'][inside]!}`)
  if (disk.items.has(at) || (parentOf(at) !== '' && disk.unknownAs(parentOf(at)) !== undefined)) return
  if (what === 'special') disk.makeUnknown(at, what)
  else {
    disk.makeDirectory(at)
    if (a % 2 === 0) disk.write(path(`${at}/held`), `held ${disk.world.next()}`)
    disk.veiled.add(disk.items.get(at)!.inode)
  }
}

export interface Unknown {
  readonly item: Item
  readonly before: RelPath
  readonly holder: bigint | undefined
}

/** What is unknown at an end, with the directory that holds it. */
export const unknownAt = (disk: Disk): Unknown[] =>
  [...disk.items]
    .filter(([p]) => disk.isUnknown(p))
    .map(([p, item]) => ({ item: { ...item }, before: p, holder: disk.items.get(parentOf(p))?.inode }))

/** It is where it was, in the directory in which it was, wherever that is now, and as it was. */
export function ensureThere(disk: Disk, list: readonly Unknown[], ruled: boolean): void {
  for (const { item, before, holder } of list) {
    const found = [...disk.items].find(([, i]) => i.inode === item.inode)
    assert.ok(found, `${disk.replica}: ${before}, which is unknown, is gone`)
    const [now, there] = found
    assert.equal(nameOf(now), nameOf(before), `${before} has another name`)
    assert.equal(disk.items.get(parentOf(now))?.inode, holder, `${before} is in another directory: ${now}`)
    assert.deepEqual([there.kind, there.content, there.mode], [item.kind, item.content, item.mode])
    if (ruled) assert.ok(disk.isUnknown(now), `${before} is no longer unknown at ${now}`)
  }
}

/** Things that stand at one end where they were agreed on, and of which nothing can be known at the other: nor seen elsewhere. */
export function doubtful({ ends, archive, agreed }: Start): { end: End; at: RelPath; inode: bigint }[] {
  const list: { end: End; at: RelPath; inode: bigint }[] = []
  for (const end of ENDS) {
    const other = otherEnd(end)
    const seenThere = new Set(
      [...ends[other].items].filter(([p]) => !ends[other].isUnknown(p)).map(([, item]) => item.inode)
    )
    const stands = (e: End, p: RelPath): boolean => ends[e].items.get(p)?.inode === agreed[e].get(p)
    for (const at of archive.keys()) {
      const above: RelPath[] = []
      for (let p = at; p !== ''; p = parentOf(p)) above.unshift(p)
      const seen = above.findIndex(p => !stands(other, p) || ends[other].unknownAs(p) !== undefined)
      const moved = above.slice(seen + 1).some(p => seenThere.has(agreed[other].get(p)!))
      const isUnknown = seen >= 0 && stands(other, above[seen]!) && !moved
      if (isUnknown && above.every(p => stands(end, p))) list.push({ end, at, inode: agreed[end].get(at)! })
    }
  }
  return list
}
