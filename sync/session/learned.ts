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

export interface LearnedInit extends AbortOptions {
  readonly ends: Readonly<Record<End, { readonly vectors?: Pick<EndVectors, 'learn'> | undefined }>>
  /** So many versions were told by now, at both ends together. */
  readonly onLearned?: ((entries: number) => void) | undefined
}

/**
 * Versions that an end only learns of. Where two folders are alike to begin with there are two for each thing in them, so they are told while
 * the plan is done: what both ends have with the same content has seen what both had seen, whatever comes of the rest.
 */
export class Learned {
  readonly #init: LearnedInit
  readonly #ready: Record<End, LearnedVersion[]> = { source: [], destination: [] }
  /** Of what is entangled (`gather`): the path is right when that was done. */
  readonly #waiting: Record<End, Extract<Operation, { kind: 'version' }>[]> = { source: [], destination: [] }
  #told = 0

  constructor(init: LearnedInit) {
    this.#init = init
  }

  /** An operation that does nothing on the disk. */
  add(op: Extract<Operation, { kind: 'version' }>): void {
    if (op.needs.length > 0) this.#waiting[op.end].push(op)
    else this.#ready[op.end].push({ path: op.path, version: op.version })
  }

  /** What was written at one end has seen what lay there; where it came from the same is known from now on. */
  note({ op }: Done): void {
    if ((op.kind !== 'create' && op.kind !== 'replace') || op.version === undefined) return
    if (sameVersion(op.version, op.content.version)) return
    this.#ready[otherEnd(op.end)].push({ path: op.from.later ?? op.from.path, version: op.version })
  }

  /** As much as makes whole pages, so that little is held. */
  async tellSome(): Promise<void> {
    await Promise.all(ENDS.map(end => this.#tell(end, LEARNED_PAGE)))
  }

  /** What is left, once all of the plan is done. @param failed - operations that were not */
  async tell(failed: ReadonlySet<number>): Promise<void> {
    for (const end of ENDS)
      for (const { path, version, needs } of this.#waiting[end].splice(0))
        if (!needs.some(id => failed.has(id))) this.#ready[end].push({ path, version })
    await Promise.all(ENDS.map(end => this.#tell(end, 1)))
  }

  async #tell(end: End, atLeast: number): Promise<void> {
    const { ends, signal, onLearned } = this.#init
    const [ready, options] = [this.#ready[end], { ...(signal && { signal }) }]
    while (ready.length >= atLeast) {
      const page = ready.splice(0, LEARNED_PAGE)
      await ends[end].vectors?.learn(page, options)
      this.#told += page.length
      onLearned?.(this.#told)
    }
  }
}
