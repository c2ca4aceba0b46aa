import type { EntryKind, ManifestTotals } from './types.js'

export type CountedTotals = { -readonly [K in keyof ManifestTotals]: ManifestTotals[K] }

export const noTotals = (): CountedTotals => ({ entries: 0, files: 0, directories: 0, symlinks: 0, bytes: 0 })

export function addTo(totals: CountedTotals, { kind, sizeBytes }: { kind: EntryKind; sizeBytes: number }): void {
  totals.entries++
  if (kind === 'file') totals.files++
  else if (kind === 'directory') totals.directories++
  else totals.symlinks++
  totals.bytes += sizeBytes
}
