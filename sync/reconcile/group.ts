/** Longer chains of renames are done in several groups, one after the other; a cycle is never cut. */
export const MAX_CHAIN = 256

/** Operations that belong together, by their numbers. */
export interface Range {
  readonly from: number
  readonly to: number
  /** Something is put aside in it: it cannot be cut. */
  readonly cycle: boolean
}

/** Which operations happen all or not at all: ranges that overlap are one, unless a chain would become too long. */
export function groupsOf(ranges: readonly Range[]): Range[] {
  const groups: Range[] = []
  for (const range of [...ranges].sort((a, b) => a.from - b.from || a.to - b.to)) {
    const last = groups.at(-1)
    if (last === undefined || range.from > last.to) groups.push(range)
    else if (last.cycle || range.cycle || range.to - last.from < MAX_CHAIN) {
      const to = Math.max(last.to, range.to)
      groups[groups.length - 1] = { from: last.from, to, cycle: last.cycle || range.cycle }
    } else if (range.to > last.to) groups.push({ from: last.to + 1, to: range.to, cycle: false })
  }
  return groups.filter(g => g.to > g.from)
}
