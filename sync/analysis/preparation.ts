import type { Confidence } from './freshness.js'

/**
 * What a copy does to know what there is to do. These go on beside the copying, which waits for none of them: what the index
 * knows is copied while the rest is looked for. `path` is a source; `done`: with these figures it ended.
 */
export type Preparation =
  /** What the indexes say of the sources, before anything is looked at. `unknown`: sources in no index. */
  | {
      readonly phase: 'quick-assessment'
      readonly done: true
      readonly indexed: number
      readonly unknown: number
      readonly files: number
      readonly bytes: number
    }
  /** A look at each folder that the index holds, whether it still is as it was listed. */
  | {
      readonly phase: 'staleness-validation'
      readonly path: string
      readonly done: boolean
      readonly fresh: number
      readonly stale: number
      readonly filtered: number
      readonly confidence: Confidence
    }
  /** The disk is gone through; the figures are of what the index did not hold, or not so. */
  | {
      readonly phase: 'progressive-scanning'
      readonly path: string
      readonly done: boolean
      readonly why: 'no-index' | 'not-asked' | 'beside-the-index' | 'index-failed'
      readonly files: number
      readonly bytes: number
    }
  /** Nothing more will be found. */
  | { readonly phase: 'ready'; readonly done: true; readonly files: number; readonly bytes: number }

const WHY: Readonly<Record<Extract<Preparation, { phase: 'progressive-scanning' }>['why'], string>> = {
  'no-index': ', which is in no index',
  'not-asked': ', without the index',
  'beside-the-index': ' for what the index does not hold',
  'index-failed': ', for the index could not be used'
}

/** One line for a person. */
export function preparationText(told: Preparation): string {
  switch (told.phase) {
    case 'quick-assessment': {
      const known = told.indexed === 0 ? '' : `, the indexes know about ${count(told.files, 'file')}`
      return `Quick assessment: ${count(told.indexed + told.unknown, 'source')}, ${told.unknown} of them in no index${known}`
    }
    case 'staleness-validation': {
      if (!told.done) return `Staleness validation of ${told.path}`
      const stale = told.stale === 0 ? '' : `, ${told.stale.toLocaleString('en-US')} not`
      const filtered = told.filtered === 0 ? '' : `, ${told.filtered.toLocaleString('en-US')} left out by rules`
      return `Staleness validation of ${told.path}: ${count(told.fresh, 'folder')} as listed${stale}${filtered} (confidence ${told.confidence})`
    }
    case 'progressive-scanning':
      return told.done
        ? `Progressive scanning of ${told.path}${WHY[told.why]}: ${count(told.files, 'file')} found`
        : `Progressive scanning of ${told.path}${WHY[told.why]}`
    case 'ready':
      return `Ready: ${count(told.files, 'file')} in all`
  }
}

const count = (n: number, what: string): string => `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`
