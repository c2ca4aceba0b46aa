import type { ProgressUpdate } from '../../storage/jobs/index.js'
import { type Preparation, preparationText } from './preparation.js'

/** Why a file was left alone. */
export type SkipReason = 'already-exists' | 'destination-newer' | 'user-choice'

/** A file of which both ends have their own. */
export interface ConflictSummary {
  readonly path: string
  readonly sourceBytes: number
  readonly destinationBytes: number
  readonly sourceModifiedMs: number
  readonly destinationModifiedMs: number
}

/**
 * What a copy (or whoever copies: a sync, a restore) has to tell while it runs. Plain values, with paths as they are shown:
 * they go into `job:progress` as `detail`.
 */
export type CopyProgress =
  /** From the index, before anything is looked at; `discovering`: more may be found. */
  | { readonly kind: 'initial-estimate'; readonly files: number; readonly bytes: number; readonly discovering: boolean }
  /** How far it is with knowing what there is to do. */
  | ({ readonly kind: 'preparation' } & Preparation)
  /** A page of what the index did not hold. */
  | { readonly kind: 'files-discovered'; readonly files: number; readonly bytes: number; readonly path: string }
  /** Nothing more will be found; figures of all of it. */
  | { readonly kind: 'discovery-complete'; readonly files: number; readonly bytes: number }
  /** `discovered`: the disk told of it, not the index. */
  | { readonly kind: 'file-copied'; readonly path: string; readonly bytes: number; readonly discovered: boolean }
  /** Bytes of a large file that is on its way; counted again as a whole when it is copied. */
  | { readonly kind: 'bytes-copied'; readonly bytes: number }
  | {
      readonly kind: 'overall'
      readonly copiedFiles: number
      readonly totalFiles: number
      readonly copiedBytes: number
      readonly totalBytes: number
      readonly skippedFiles: number
      readonly discovering: boolean
    }
  | { readonly kind: 'destination-analysis'; readonly path: string; readonly files: number; readonly bytes: number }
  /** The first few that wait for an answer, and how many do. */
  | { readonly kind: 'conflicts-detected'; readonly conflicts: readonly ConflictSummary[]; readonly pending: number }
  | { readonly kind: 'files-skipped'; readonly files: number; readonly bytes: number; readonly reason: SkipReason }
  | { readonly kind: 'resume-detected'; readonly completedFiles: number; readonly remainingFiles: number | null }

/**
 * Adds up what is told into the figures of a job: done never falls and never runs ahead of the work; the total is not called
 * known before discovery is complete.
 */
export class CopyProgressSum {
  #found = { files: 0, bytes: 0 }
  #copied = { files: 0, bytes: 0 }
  #skipped = { files: 0, bytes: 0 }
  #onTheWay = 0
  #discovering = true

  /** The figures as they are now, with what was told as their detail. */
  tell(told: CopyProgress): ProgressUpdate {
    switch (told.kind) {
      case 'initial-estimate':
        this.#found = { files: Math.max(this.#found.files, told.files), bytes: Math.max(this.#found.bytes, told.bytes) }
        this.#discovering = told.discovering
        break
      case 'files-discovered':
        add(this.#found, told)
        break
      case 'discovery-complete':
        this.#found = { files: told.files, bytes: told.bytes }
        this.#discovering = false
        break
      case 'bytes-copied':
        this.#onTheWay += told.bytes
        break
      case 'file-copied':
        this.copied({ files: 1, bytes: told.bytes })
        break
      case 'files-skipped':
        add(this.#skipped, told)
        break
      case 'resume-detected':
        this.#skipped.files = Math.max(this.#skipped.files, told.completedFiles)
        break
    }
    return { ...this.#figures(), detail: told, message: progressText(told) }
  }

  /** Files that have their names, of which nothing more is told. */
  copied(some: { readonly files: number; readonly bytes: number }): void {
    add(this.#copied, some)
    this.#onTheWay = Math.max(0, this.#onTheWay - some.bytes)
  }

  /** All of it in one value. */
  overall(): Extract<CopyProgress, { kind: 'overall' }> {
    const { totalFiles, totalBytes } = this.#totals()
    return {
      kind: 'overall',
      ...{ copiedFiles: this.#copied.files, copiedBytes: this.#copied.bytes, totalFiles, totalBytes },
      ...{ skippedFiles: this.#skipped.files, discovering: this.#discovering }
    }
  }

  #figures(): ProgressUpdate {
    const { totalFiles, totalBytes } = this.#totals()
    const doneFiles = this.#copied.files + this.#skipped.files
    const doneBytes = this.#copied.bytes + this.#skipped.bytes + this.#onTheWay
    if (this.#discovering) return { doneFiles, doneBytes, totalFiles: null, totalBytes: null }
    return { doneFiles, doneBytes: Math.min(doneBytes, totalBytes), totalFiles, totalBytes }
  }

  /** What was handled counts, also where an estimate said less. */
  #totals(): { totalFiles: number; totalBytes: number } {
    return {
      totalFiles: Math.max(this.#found.files, this.#copied.files + this.#skipped.files),
      totalBytes: Math.max(this.#found.bytes, this.#copied.bytes + this.#skipped.bytes)
    }
  }
}

/** A few words for a person; empty where the figures say it all. */
export function progressText(told: CopyProgress): string {
  switch (told.kind) {
    case 'initial-estimate':
      return `about ${files(told.files)}${told.discovering ? ', looking for more' : ''}`
    case 'preparation':
      return preparationText(told)
    case 'files-discovered':
      return `found ${files(told.files)} more`
    case 'destination-analysis':
      return `looking at ${told.path}: ${files(told.files)}`
    case 'conflicts-detected':
      return `${files(told.pending)} wait${told.pending === 1 ? 's' : ''} for an answer`
    case 'files-skipped':
      return `left ${files(told.files)} alone: ${SKIP_WORDS[told.reason]}`
    case 'resume-detected':
      return `going on: ${files(told.completedFiles)} done before`
    default:
      return ''
  }
}

const SKIP_WORDS: Readonly<Record<SkipReason, string>> = {
  'already-exists': 'something of that name exists',
  'destination-newer': 'the destination is newer',
  'user-choice': 'as told'
}

const files = (n: number): string => (n === 1 ? '1 file' : `${n.toLocaleString('en-US')} files`)

function add(sum: { files: number; bytes: number }, more: { readonly files: number; readonly bytes: number }): void {
  sum.files += more.files
  sum.bytes += more.bytes
}
