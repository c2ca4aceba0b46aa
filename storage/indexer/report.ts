import type { IndexCounts } from '../entries/index.js'
import type { IndexPhaseName, IndexReport } from './indexer.js'

type Counts = { -readonly [K in keyof Omit<IndexReport, 'rates'>]: IndexReport[K] }

/** Adds up what a run did, over its phases and over a restart. */
export class Tally {
  readonly counts: Counts
  readonly phaseMs: Partial<Record<IndexPhaseName, number>>

  constructor(before?: IndexReport) {
    this.phaseMs = { ...before?.phaseMs }
    this.counts = {
      files: 0,
      directories: 0,
      bytes: 0,
      created: 0,
      modified: 0,
      moved: 0,
      deleted: 0,
      unchanged: 0,
      unknown: 0,
      hashedFiles: 0,
      hashedBytes: 0,
      mediaFiles: 0,
      problems: 0,
      rowsRead: 0,
      rowsWritten: 0,
      directoriesSame: 0,
      ...before,
      phaseMs: this.phaseMs
    }
  }

  /** A walk begins anew: what it saw before does not count twice. */
  beginWalk(): void {
    Object.assign(this.counts, { files: 0, directories: 0, bytes: 0, directoriesSame: 0 })
  }

  seen({
    entries,
    directories,
    same,
    bytes
  }: {
    entries: number
    directories: number
    same: number
    bytes: number
  }): void {
    this.counts.files += entries
    this.counts.directories += directories
    this.counts.directoriesSame += same
    this.counts.bytes += bytes
  }

  wrote(counts: IndexCounts): void {
    for (const name of ['created', 'modified', 'moved', 'deleted', 'unchanged', 'rowsRead', 'rowsWritten'] as const)
      this.counts[name] += counts[name]
  }

  took(phase: IndexPhaseName, ms: number): void {
    this.phaseMs[phase] = Math.round((this.phaseMs[phase] ?? 0) + ms)
  }

  report(): IndexReport {
    const { files, hashedBytes } = this.counts
    const { Discovery, Content } = this.phaseMs
    const rates = { itemsPerSecond: perSecond(files, Discovery), bytesPerSecond: perSecond(hashedBytes, Content) }
    return { ...this.counts, phaseMs: { ...this.phaseMs }, rates }
  }
}

const perSecond = (count: number, ms = 0): number => (ms === 0 ? 0 : Math.round((count / ms) * 1000))
