import fc from 'fast-check'
import { parentOf, type RelPath } from '../../../storage/base/index.js'
import { type Disk, path } from './model.js'

/** An edit by hand: numbers that pick among what is there and what could be. */
export interface Edit {
  readonly what:
    | 'write'
    | 'save'
    | 'make'
    | 'remove'
    | 'move'
    | 'swap'
    | 'chmod'
    | 'touch'
    | 'retype'
    | 'link'
    | 'copy'
    | 'gather'
  readonly a: number
  readonly b: number
  readonly c: number
}

const PLACES = ['a', 'b', 'c', 'd', 'a/x', 'a/y', 'b/x', 'b/y', 'a/x/p', 'a/x/q', 'b/x/p', 'c/x', 'c/x/p', 'd/x'].map(
  path
)

/** For an end that takes `a` and `A` for one. */
export const FOLDED_PLACES = ['a', 'A', 'b', 'B', 'a/x', 'a/X', 'A/x', 'b/x', 'B/X', 'a/x/p', 'A/X/P'].map(path)

export const edit: fc.Arbitrary<Edit> = fc.record({
  what: fc.constantFrom(
    'write',
    'write',
    'save',
    'make',
    'remove',
    'move',
    'move',
    'swap',
    'chmod',
    'touch',
    'retype',
    'link',
    'copy',
    'gather'
  ),
  a: fc.nat(1000),
  b: fc.nat(1000),
  c: fc.nat(1000)
})

const some = (maxLength: number): fc.Arbitrary<Edit[]> => fc.array(edit, { maxLength })

/** Edits before both ends agree, and at each of them afterwards. */
export const history = fc.record({ before: some(12), source: some(6), destination: some(6), identity: fc.boolean() })
export type History = typeof history extends fc.Arbitrary<infer T> ? T : never

/** Does an edit as far as it makes sense there; @returns whether it did. */
export function perform(disk: Disk, { what, a, b, c }: Edit, places = PLACES): boolean {
  const there = [...disk.items.keys()].filter(p => disk.items.get(p)!.kind !== 'unknown' && !disk.isHidden(p)).sort()
  const place = places[b % places.length]!
  const some = there.length === 0 ? undefined : there[a % there.length]!
  const isFile = (p: RelPath | undefined): p is RelPath => p !== undefined && disk.items.get(p)?.kind === 'file'
  const holdsUnknown = (p: RelPath): boolean => disk.within(p).some(q => disk.items.get(q)!.kind === 'unknown')
  const content = `text ${disk.replica} ${disk.world.next()}`
  const size = c % 3 === 0 ? 5000 : 10
  switch (what) {
    case 'write':
      if (!canHold(disk, place) || (disk.items.has(place) && !isFile(place))) return false
      disk.write(place, content, size)
      return true
    case 'save':
      if (!isFile(some)) return false
      disk.save(some, content, size)
      return true
    case 'copy':
      // The same content is made in several places: by hand at both ends, or twice at one.
      if (!canHold(disk, place) || (disk.items.has(place) && !isFile(place))) return false
      disk.write(place, `common ${c % 3}`, c % 2 === 0 ? 5000 : 10)
      return true
    case 'link':
      if (!canHold(disk, place) || disk.items.has(place)) return false
      disk.write(place, `to ${c % 4}`, 4, 'symlink')
      return true
    case 'make':
      if (!canHold(disk, place) || disk.items.has(place)) return false
      disk.makeDirectory(place)
      return true
    case 'remove':
      if (some === undefined || holdsUnknown(some)) return false
      disk.remove(some)
      return true
    case 'move':
      if (some === undefined || disk.items.has(place) || !canHold(disk, place) || place.startsWith(`${some}/`))
        return false
      if (parentOf(place) !== '' && !disk.items.has(parentOf(place))) return false
      disk.move(some, place)
      return true
    case 'swap': {
      const other = there.length === 0 ? undefined : there[c % there.length]!
      if (some === undefined || other === undefined || some === other) return false
      if (some.startsWith(`${other}/`) || other.startsWith(`${some}/`)) return false
      disk.swap(some, other)
      return true
    }
    case 'gather': {
      // All that a directory holds goes to a new one, and the directory away.
      if (
        some === undefined ||
        disk.items.get(some)!.kind !== 'directory' ||
        disk.items.has(place) ||
        !canHold(disk, place)
      )
        return false
      if (place.startsWith(`${some}/`) || (parentOf(place) !== '' && !disk.items.has(parentOf(place)))) return false
      disk.makeDirectory(place)
      for (const p of disk.within(some)) {
        if (parentOf(p) === some) disk.move(p, path(place + p.slice(some.length)))
      }
      disk.remove(some)
      return true
    }
    case 'chmod':
      if (some === undefined) return false
      disk.change(some, { mode: [0o755, 0o644, 0o600, 0o700, 0o500][c % 5]! })
      return true
    case 'touch':
      if (!isFile(some)) return false
      disk.change(some, { mtimeNs: BigInt(disk.world.next()) * 1_000_000_000n })
      return true
    case 'retype': {
      if (some === undefined || holdsUnknown(some)) return false
      const directory = disk.items.get(some)!.kind === 'directory'
      disk.remove(some)
      if (directory) disk.write(some, content, size, c % 2 === 0 ? 'file' : 'symlink')
      else disk.makeDirectory(some)
      return true
    }
  }
}

/** Its directories are there or can be made, and no other name there is the same to this end. */
function canHold(disk: Disk, place: RelPath): boolean {
  for (let p = place; p !== ''; p = parentOf(p)) {
    const item = disk.items.get(p)
    if (p !== place && item !== undefined && item.kind !== 'directory') return false
    if (item === undefined && [...disk.items.keys()].some(q => disk.fold(q) === disk.fold(p))) return false
  }
  return true
}
