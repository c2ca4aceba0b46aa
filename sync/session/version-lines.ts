/** What is written down of a batch before it is done, so that it can be gone back to. */
import type { Database } from '../../storage/sql/index.js'
import type { End, Operation, Present } from '../reconcile/index.js'
import type { Kept, VersionLine } from '../versions/index.js'
import type { Step } from './achieved.js'
import { snapshotting } from './snapshot.worker.js'

type NewLine = Omit<VersionLine, 'atMs'>

/** The lines of one run. */
export class VersionLines {
  readonly #run: string
  readonly #snapshot: Database
  /** Directories that did not exist before: nothing is known of what they were. */
  readonly #made: Record<End, Set<string>> = { source: new Set(), destination: new Set() }

  constructor(run: string, snapshot: Database) {
    this.#run = run
    this.#snapshot = snapshot
  }

  /** Of a batch that is about to be done. @param group - when all of it happens at once: a number of its own in this run */
  async of(steps: readonly Step[], group?: number): Promise<NewLine[]> {
    const lines = steps.flatMap(step => linesOf(step, this.#run))
    if (group !== undefined) return lines.map(line => ({ ...line, group }))
    return [...lines, ...(await this.#attributes(steps))]
  }

  noteMade(op: Operation): void {
    if (op.kind === 'make-directory') this.#made[op.end].add(op.path)
  }

  /** Permission bits and times before they are set; of a folder, as they were before the run put anything into it. */
  async #attributes(steps: readonly Step[]): Promise<NewLine[]> {
    const list = steps
      .flatMap(({ ops }) => ops)
      .filter(op => op.kind === 'attributes' && !this.#made[op.end].has(op.path))
    if (list.length === 0) return []
    const paths = list.map(op => op.path)
    const were = await this.#snapshot.maintain(snapshotting.attributes, { at: list[0]!.end, paths })
    return list.flatMap(({ path, reason: why }, i) => {
      const was = were[i]
      return was === undefined ? [] : [{ run: this.#run, path, was, why }]
    })
  }
}

function linesOf({ step, ops }: Step, run: string): NewLine[] {
  const why = ops.at(-1)!.reason
  if (step.kind === 'move') return [{ run, path: step.path, was: null, to: step.to, why }]
  if (step.kind === 'create' || step.kind === 'make-directory') return [{ run, path: step.path, was: null, why }]
  const expected = ops.map(o => ('expected' in o ? o.expected : undefined)).find(e => e !== undefined)
  return expected === undefined ? [] : [{ run, path: step.path, was: keptOf(expected), why }]
}

function keptOf(entry: Present): Kept {
  const { mtimeNs, mode } = entry
  if (entry.kind === 'file') return { kind: 'file', hash: entry.hash, sizeBytes: entry.sizeBytes, mtimeNs, mode }
  if (entry.kind === 'symlink') return { kind: 'symlink', target: entry.target, mtimeNs }
  return { kind: 'directory', mtimeNs, mode }
}
