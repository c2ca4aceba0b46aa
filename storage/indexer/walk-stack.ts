import type { WalkItem } from './walk.worker.js'

/** Items given to one slice. */
const ITEMS_A_SLICE = 128

/**
 * What a walk has still to look at; the last is taken first. Of the parts of a huge directory one is out at a time: they
 * are recorded in order, and the names of all the others do not travel with it.
 */
export class WalkStack {
  readonly #items: WalkItem[]
  #partOut = false

  constructor(items: readonly WalkItem[]) {
    this.#items = [...items]
  }

  /**
   * @param takers - how many of them divide what there is among themselves
   * @returns undefined: there is nothing to be taken now
   */
  take(takers: number): readonly WalkItem[] | undefined {
    const all = this.#items
    if (all.at(-1)?.part !== undefined && !this.#partOut) {
      this.#partOut = true
      return [all.pop()!]
    }
    // Whole directories and names; parts that have to wait are passed over.
    let end = all.length
    while (end > 0 && all[end - 1]!.part !== undefined) end--
    const share = Math.min(ITEMS_A_SLICE, Math.ceil(end / takers))
    let first = end
    while (first > end - share && all[first - 1]!.part === undefined) first--
    return end === 0 ? undefined : all.splice(first, end - first)
  }

  /** Takes back what is left of what was taken, and what it led to. */
  give(taken: readonly WalkItem[], rest: readonly WalkItem[]): void {
    if (taken[0]?.part !== undefined) this.#partOut = false
    for (const item of rest) this.#items.push(item)
  }
}
