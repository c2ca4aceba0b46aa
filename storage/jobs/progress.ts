import type { ProgressFields } from '../base/index.js'

/** Absolute figures of the phase; what is left out stays as it was. */
export interface ProgressUpdate {
  message?: string
  doneFiles?: number
  /** null: not known, or still growing. */
  totalFiles?: number | null
  doneBytes?: number
  totalBytes?: number | null
}
export type { ProgressFields }
