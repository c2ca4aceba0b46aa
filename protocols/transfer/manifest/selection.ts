import { parentOf, type RelPath } from '../../../storage/base/index.js'
import { createHasher } from '../../../storage/content/index.js'
import { addTo, noTotals } from './totals.js'
import type { ManifestEntry, ManifestTotals, Selection } from './types.js'

/** True when entry `index` is selected. */
export function isSelected(selection: Selection, index: number): boolean {
  return selection === 'all' || ((selection[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
}

export function bitmapFor(entries: number): Uint8Array {
  return new Uint8Array(Math.ceil(entries / 8))
}

export function setBit(bitmap: Uint8Array, index: number): void {
  bitmap[index >> 3] = bitmap[index >> 3]! | (1 << (index & 7))
}

/** @returns the bitmap of what `keep` wants, and the directories that lead there */
export async function selectEntries(
  entries: AsyncIterable<readonly ManifestEntry[]>,
  count: number,
  keep: (entry: ManifestEntry) => boolean
): Promise<Uint8Array> {
  const bitmap = bitmapFor(count)
  const open: { path: RelPath; index: number; kept: boolean }[] = []
  for await (const page of entries) {
    for (const entry of page) {
      const parent = parentOf(entry.path)
      while (open.length > 0 && open.at(-1)!.path !== parent) open.pop()
      const kept = keep(entry)
      if (kept) {
        for (const directory of open) {
          if (directory.kept) continue
          setBit(bitmap, directory.index)
          directory.kept = true
        }
        setBit(bitmap, entry.index)
      }
      if (entry.kind === 'directory') open.push({ path: entry.path, index: entry.index, kept })
    }
  }
  return bitmap
}

export async function selectedTotals(
  entries: AsyncIterable<readonly ManifestEntry[]>,
  selection: Selection
): Promise<ManifestTotals> {
  const totals = noTotals()
  for await (const page of entries)
    for (const entry of page) if (isSelected(selection, entry.index)) addTo(totals, entry)
  return totals
}

/** What both ends compare: BLAKE3 of the bitmap, its unused last bits cleared; of nothing where everything is selected. */
export function selectionHash(selection: Selection, entries: number): Uint8Array {
  const hasher = createHasher()
  if (selection !== 'all') {
    const bitmap = bitmapFor(entries)
    bitmap.set(selection.subarray(0, bitmap.length))
    const unused = bitmap.length * 8 - entries
    if (unused > 0) bitmap[bitmap.length - 1] = bitmap.at(-1)! & (0xff >> unused)
    hasher.update(bitmap)
  }
  return hasher.digestBytes()
}
