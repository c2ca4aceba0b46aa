import { comparePaths, isWithin } from '../../../storage/base/index.js'

/** Which file of a group stays. */
export type KeepRule =
  | { readonly rule: 'oldest' | 'newest' | 'shortest-path' }
  /** All in this folder stay; a group with none in it is left alone. */
  | { readonly rule: 'in'; readonly folder: string }

export interface Duplicate {
  readonly path: string
  readonly mtimeNs: bigint
}

/** Which of a group stay; never none of them, unless the rule leaves the whole group alone: then all. */
export function keepersOf<D extends Duplicate>(group: readonly D[], keep: KeepRule): D[] {
  if (keep.rule === 'in') {
    const inside = group.filter(d => isWithin(d.path, keep.folder))
    return inside.length === 0 ? [...group] : inside
  }
  const order: (a: D, b: D) => number = {
    oldest: (a: D, b: D) => compare(a.mtimeNs, b.mtimeNs),
    newest: (a: D, b: D) => compare(b.mtimeNs, a.mtimeNs),
    'shortest-path': () => 0
  }[keep.rule]
  const [first] = [...group].sort(
    (a, b) => order(a, b) || a.path.length - b.path.length || comparePaths(a.path, b.path)
  )
  return first === undefined ? [] : [first]
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)
