import type { RelPath } from '../../../storage/base/index.js'
import type { StagingWriter, VerifiedFile } from '../../../storage/files/index.js'
import { readPages } from '../manifest/file.js'
import { parsePage } from '../manifest/page.js'
import { isSelected } from '../manifest/selection.js'
import type { ManifestEntry } from '../manifest/types.js'
import { Account } from './account.js'
import type { Journal } from './journal.js'
import type { LargeFiles } from './large-files.js'
import type { ReceiveInput } from './messages.js'
import { NameGuard } from './name-guard.js'

/**
 * Finds out what is there of an earlier stream or run: what this run knows, or what the journal says and the staged content
 * proves (both are hashed: a crash of the machine may have torn what the journal calls whole).
 */
export async function prepare(
  input: ReceiveInput,
  writer: StagingWriter,
  journal: Journal,
  large: LargeFiles,
  signal: AbortSignal
): Promise<Account> {
  const account = new Account(input.entries, input.have)
  const guard = input.foldsNames ? new NameGuard() : undefined
  let first = 0
  for await (const page of readPages(input.manifestFile)) {
    const entries = parsePage(page, first).map(raw => raw.entry)
    first += entries.length
    const proven = input.have === undefined ? await proveJournal(entries, writer, journal, signal) : new Set<number>()
    for (const entry of entries) {
      const { index, path, kind, sizeBytes } = entry
      if (!isSelected(input.selection, index)) continue
      const hasContent = kind === 'file' && sizeBytes > 0
      if (hasContent) account.expect(index, sizeBytes)
      if (guard?.collides(path as RelPath)) account.fail(index, 'NAME_COLLISION', 'receiver', hasContent)
      else if (proven.has(index)) account.arrived(index, sizeBytes)
      else if (hasContent && journal.begun.has(index)) await large.reopen(entry, signal)
    }
    await new Promise(resolve => setImmediate(resolve))
    signal.throwIfAborted()
  }
  return account
}

async function proveJournal(
  entries: readonly ManifestEntry[],
  writer: StagingWriter,
  journal: Journal,
  signal: AbortSignal
): Promise<Set<number>> {
  const claimed: number[] = []
  const files: VerifiedFile[] = []
  for (const { index, path, sizeBytes } of entries) {
    const hash = journal.hashOf(index)
    if (hash === undefined) continue
    claimed.push(index)
    files.push({ path, sizeBytes, hash })
  }
  if (files.length === 0) return new Set()
  const found = await writer.verify(files, { signal })
  return new Set(claimed.filter((_, i) => found[i] === 'whole'))
}
