/** What a plan makes of versions: beside each step, and where nothing is done on the disk. */
import type { AbortOptions } from '../../storage/base/index.js'
import type { EndVectors, LearnedVersion, StepNote } from '../endpoints/index.js'
import {
  ENDS,
  type End,
  mergeVersions,
  type Operation,
  otherEnd,
  sameVersion,
  type Version
} from '../reconcile/index.js'
import type { Done, Step } from './achieved.js'

/** Told at once: as many as an end looks at. */
const LEARNED_PAGE = 1_000

/** What the thing has seen that a step gives a name to, or takes it from. */
export function noteOf({ ops }: Step): StepNote {
  const version = ops.reduce<Version | undefined>((seen, op) => mergeVersions(seen, versionIn(op)), undefined)
  const op = ops.at(-1)!
  const note: StepNote = version === undefined ? {} : { version }
  if (op.kind !== 'create' && op.kind !== 'replace') return note
  const { content } = op
  return content.kind === 'file' ? { ...note, content: content.hash } : { ...note, content: content.target, link: true }
}

const versionIn = (op: Operation): Version | undefined => ('version' in op ? op.version : undefined)

/** Versions that an end only learns of. */
export class Learned {
  readonly #at: Record<End, (LearnedVersion & { readonly needs: readonly number[] })[]> = {
    source: [],
    destination: []
  }

  /** An operation that does nothing on the disk. */
  add(op: Extract<Operation, { kind: 'version' }>): void {
    this.#at[op.end].push({ path: op.path, version: op.version, needs: op.needs })
  }

  /** What was written at one end has seen what lay there; where it came from the same is known from now on. */
  note({ op }: Done): void {
    if ((op.kind !== 'create' && op.kind !== 'replace') || op.version === undefined) return
    if (sameVersion(op.version, op.content.version)) return
    this.#at[otherEnd(op.end)].push({ path: op.from.later ?? op.from.path, version: op.version, needs: [] })
  }

  /** Once all of the plan is done. @param failed - operations that were not */
  async tell(
    ends: Readonly<Record<End, { readonly vectors?: Pick<EndVectors, 'learn'> | undefined }>>,
    failed: ReadonlySet<number>,
    options: AbortOptions
  ): Promise<void> {
    for (const end of ENDS) {
      const notes = this.#at[end].filter(({ needs }) => !needs.some(id => failed.has(id)))
      for (let i = 0; i < notes.length; i += LEARNED_PAGE) {
        const page = notes.slice(i, i + LEARNED_PAGE).map(({ path, version }) => ({ path, version }))
        await ends[end].vectors?.learn(page, options)
      }
    }
  }
}
