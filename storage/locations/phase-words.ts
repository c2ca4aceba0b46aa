import type { IndexPhaseName, IndexReport } from '../indexer/index.js'

/** One line for the log of the job: what a phase of an index run did, how long it took, and what it cost. */
export function phaseWords(phase: IndexPhaseName, report: IndexReport): string {
  const words: Record<IndexPhaseName, () => (string | false)[]> = {
    Discovery: () => [
      `${n(report.files)} entries in ${n(report.directories)} folders`,
      report.directoriesSame > 0 && `${n(report.directoriesSame)} folders as they were`,
      report.rates.itemsPerSecond > 0 && `${n(report.rates.itemsPerSecond)} entries/s`,
      `${n(report.rowsRead)} rows read, ${n(report.rowsWritten)} written`
    ],
    Processing: () => [
      `${n(report.created)} new`,
      `${n(report.modified)} changed`,
      `${n(report.moved)} moved`,
      `${n(report.deleted)} gone`
    ],
    Aggregation: () => ['sums of folders are kept with each change'],
    Content: () => [
      `${n(report.hashedFiles)} files read`,
      report.rates.bytesPerSecond > 0 && `${n(Math.round(report.rates.bytesPerSecond / 2 ** 20))} MiB/s`
    ],
    Deep: () => [`${n(report.mediaFiles)} pictures, films and pieces of music looked into`],
    Complete: () => ['names are searchable']
  }
  const seconds = (report.phaseMs[phase] ?? 0) / 1000
  return [...words[phase]().filter(w => w !== false), `${seconds.toFixed(seconds < 10 ? 2 : 0)} s`].join(', ')
}

const n = (value: number): string => value.toLocaleString('en-US')
