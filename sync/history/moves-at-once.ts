import type { RelPath } from '../../storage/base/index.js'

/** A change, as far as moves are told by it. */
export interface Moved {
  readonly run: string
  readonly path: RelPath
  readonly to: RelPath | undefined
  readonly kind: string
}

/**
 * Nothing is moved twice in one run: where something came to a name before what was there left it, both were done at once, with all
 * the moves that touch their names. By each of the moves, all of them in their order.
 */
export function movesAtOnce(rows: readonly Moved[]): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, readonly number[]>()
  for (let from = 0; from < rows.length; ) {
    let end = from
    while (end < rows.length && rows[end]!.kind === 'move' && rows[end]!.run === rows[from]!.run) end++
    const leaving = new Map(rows.slice(from, end).map((row, i) => [row.path, from + i]))
    const arriving = new Map(rows.slice(from, end).map((row, i) => [row.to!, from + i]))
    for (let i = from; i < end; i++) {
      if ((arriving.get(rows[i]!.path) ?? i) >= i || found.has(i)) continue
      const all = new Set([i])
      for (const at of all)
        for (const next of [leaving.get(rows[at]!.to!), arriving.get(rows[at]!.path)])
          if (next !== undefined) all.add(next)
      const ordered = [...all].sort((a, b) => a - b)
      for (const at of ordered) found.set(at, ordered)
    }
    from = Math.max(end, from + 1)
  }
  return found
}
