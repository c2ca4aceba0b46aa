import type { RelPath } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import type { StagedEntry } from '../../../storage/files/index.js'

/** Packs contents one after the other, as `Staging.write` takes them. */
export function pack(contents: Record<string, string | Buffer>): { entries: StagedEntry[]; data: Uint8Array } {
  const entries: StagedEntry[] = []
  const parts: Buffer[] = []
  let offset = 0
  for (const [path, content] of Object.entries(contents)) {
    const bytes = Buffer.from(content)
    entries.push({ kind: 'file', path: path as RelPath, offset, length: bytes.length, hash: hashBytes(bytes) })
    parts.push(bytes)
    offset += bytes.length
  }
  return { entries, data: new Uint8Array(Buffer.concat(parts)) }
}
