import type { SkipReason } from './decide.js'
import type { Layout } from './layout.js'
import type { Replacing } from './replacing.js'

/** What a copy keeps over a pause, a restart, a crash. What was copied is seen at the destination itself. */
export interface CopyState {
  /** The time that copies get where they do not keep that of their source: of the first beginning. */
  beganNs: bigint
  layout: Layout | null
  /** Ids of the volumes that its folders lie on: another disk at the old place, or none, is not taken for them. */
  volumes: Record<string, string>
  /** Nothing stood where the sources go: all of it needs space. */
  fresh: boolean
  /** What the indexes said of the sources before anything was looked at; null: none holds any of them. */
  estimate: { files: number; bytes: number } | null
  /** How often the work was begun. */
  runs: number
  /** Sources that got their new name by one rename: `FOLDER/NAME` with the inode, from before the rename on. */
  renamed: Record<string, string>
  /** What is being replaced right now: see `Replacing`. */
  replacing: readonly Replacing[]
  counts: CopyCounts
  /** What the last walk over the sources saw: counted anew by each. */
  seen: SeenCounts
  /** Files that had been copied when the last walk began. */
  copiedBefore: number
  /** Where the short way was not open, and what was done instead. */
  notes: string[]
  /** Problems that were told (the first MAX_TOLD): a walk that goes over them again says nothing. */
  told: string[]
}

export interface CopyCounts {
  copied: number
  copiedBytes: number
  replaced: number
  renamed: number
  directories: number
  attributes: number
  removed: number
  /** Of large files, what an earlier try had on the disk already. */
  resumedBytes: number
  /** How many files took which way. */
  strategies: Record<string, number>
}

export interface SeenCounts {
  files: number
  bytes: number
  same: number
  sameBytes: number
  skipped: Record<SkipReason, number>
  /** Wait for an answer. */
  conflicts: number
}

export const MAX_TOLD = 1000

export const nothingSeen = (): SeenCounts => ({
  ...{ files: 0, bytes: 0, same: 0, sameBytes: 0, conflicts: 0 },
  skipped: { exists: 0, newer: 0 }
})

export const newState = (): CopyState => ({
  ...{
    beganNs: 0n,
    layout: null,
    volumes: {},
    fresh: false,
    estimate: null,
    runs: 0,
    renamed: {},
    replacing: [],
    seen: nothingSeen(),
    copiedBefore: 0,
    notes: [],
    told: []
  },
  counts: {
    ...{
      copied: 0,
      copiedBytes: 0,
      replaced: 0,
      renamed: 0,
      directories: 0,
      attributes: 0,
      removed: 0,
      resumedBytes: 0
    },
    strategies: {}
  }
})
