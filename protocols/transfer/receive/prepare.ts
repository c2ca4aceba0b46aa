/** What a new stream begins with: what is wanted, and what is there of an earlier stream or run. */
import type { StagingWriter, VerifiedFile } from '../../../storage/files/index.js'
import { readPages } from '../manifest/file.js'
import { parsePage } from '../manifest/page.js'
import { isSelected } from '../manifest/selection.js'
import type { ManifestEntry } from '../manifest/types.js'
import { Account } from './account.js'
import type { Journal } from './journal.js'
import { codeOfPath, type LargeFiles } from './large-files.js'
import type { ReceiveInput } from './messages.js'
import { NameGuard } from './name-guard.js'

/** Counts what is wanted, and finds the names that this file system cannot tell apart. */
export async function survey(input: ReceiveInput, signal: AbortSignal): Promise<Account> {
  const account = new Account(input.entries, input.have)
  const guard = input.foldsNames ? new NameGuard() : undefined
  for await (const entries of selected(input, signal)) {
    for (const entry of entries) {
      if (hasContent(entry)) account.expect(entry.index, entry.sizeBytes)
      if (guard?.collides(entry.path)) account.fail(entry.index, 'NAME_COLLISION', 'receiver', hasContent(entry))
    }
  }
  return account
}

/**
 * Looks at what lies in staging: files that the journal calls whole count when their content still has that hash (a crash of
 * the machine may have torn them), those that were begun are opened and hashed as far as they are there.
 */
export async function prove(
  input: ReceiveInput,
  account: Account,
  writer: StagingWriter,
  journal: Journal,
  large: LargeFiles,
  signal: AbortSignal
): Promise<void> {
  for await (const entries of selected(input, signal)) {
    const open = entries.filter(entry => hasContent(entry) && !account.isSettled(entry.index))
    for (const { index, sizeBytes } of await proven(open, writer, journal, signal)) account.arrived(index, sizeBytes)
    for (const entry of open) {
      if (!journal.begun.has(entry.index) || account.isSettled(entry.index)) continue
      try {
        await large.reopen(entry, signal)
      } catch (err) {
        account.fail(entry.index, codeOfPath(err), 'receiver', true)
      }
    }
  }
}

async function proven(
  entries: readonly ManifestEntry[],
  writer: StagingWriter,
  journal: Journal,
  signal: AbortSignal
): Promise<ManifestEntry[]> {
  const claimed: ManifestEntry[] = []
  const files: VerifiedFile[] = []
  for (const entry of entries) {
    const hash = journal.hashOf(entry.index)
    if (hash === undefined) continue
    claimed.push(entry)
    files.push({ path: entry.path, sizeBytes: entry.sizeBytes, hash })
  }
  if (files.length === 0) return []
  const found = await writer.verify(files, { signal })
  return claimed.filter((_, i) => found[i] === 'whole')
}

/**
 * What will not come gets no name with the folder that it is in: of an earlier run half of it may lie there, where a crash left it.
 * One of two names that are the same here is that of the other.
 */
export async function removeFailed(
  input: ReceiveInput,
  { failed, have }: Account,
  writer: StagingWriter,
  signal: AbortSignal
): Promise<void> {
  if (failed.size === 0) return
  for await (const entries of selected(input, signal)) {
    for (const { index, kind, path } of entries) {
      const code = failed.get(index)?.code
      if (code === undefined || code === 'NAME_COLLISION' || kind === 'directory' || isSelected(have, index)) continue
      try {
        writer.remove(path)
      } catch (err) {
        codeOfPath(err) // nothing can lie where no name can be
      }
    }
  }
}

const hasContent = ({ kind, sizeBytes }: ManifestEntry): boolean => kind === 'file' && sizeBytes > 0

/** The selected entries, a page at a time; messages come in between. */
async function* selected(input: ReceiveInput, signal: AbortSignal): AsyncGenerator<ManifestEntry[]> {
  let first = 0
  for await (const page of readPages(input.manifestFile)) {
    const raw = parsePage(page, first)
    first += raw.length
    yield raw.map(r => r.entry).filter(entry => isSelected(input.selection, entry.index))
    await new Promise(resolve => setImmediate(resolve))
    signal.throwIfAborted()
  }
}
