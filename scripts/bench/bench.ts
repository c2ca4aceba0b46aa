/**
 * What a bench scenario is: see main.ts for the list, trees.ts for what they run on, baseline.ts for what they are compared with.
 *
 * A scenario removes nothing: ext4 without a journal (many a virtual machine has it) does not give out the inodes of deleted
 * files again for a minute or more, and each new file walks past all of them. There 10,000 small files took `cp -a` 10 s,
 * against 0.4 s with a journal. What is compared takes turns, a round of each, so that both meet the same disk.
 */
export interface BenchContext {
  /** A fresh folder on the disk to be measured; removed when every scenario is done. */
  readonly dir: string
  /** A tree that all scenarios of a run share, made when it is first asked for: what they do in it they leave there. */
  tree(kind: TreeKind): Promise<string>
  /** `--quick`: smaller trees and fewer rounds, to see that a scenario works at all. */
  readonly quick: boolean
  /** Says on standard error what is going on. */
  note(text: string): void
}

/** `real`: a copy of /usr/share. `wide`: 1,000,000 small entries (20,000 with `--quick`). */
export type TreeKind = 'real' | 'wide'

/** Figures by name, units in the names; `ratio` where there is a baseline. Printed as one JSON line. */
export type Figures = Record<string, number | string | boolean | null>

export interface Bench {
  readonly name: string
  readonly what: string
  /** Runs only when it is named. */
  readonly long?: boolean
  run(context: BenchContext): Promise<Figures>
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted.length === 0 ? Number.NaN : sorted[Math.floor((sorted.length - 1) / 2)]!
}

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN
}

export async function timed(work: () => unknown): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}
