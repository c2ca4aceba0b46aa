import type { ContentHash, RelPath } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import type { VersionLine } from '../../../sync/versions/index.js'

export const rel = (path: string): RelPath => path as RelPath
export const hashOf = (text: string): ContentHash => hashBytes(Buffer.from(text))
export const DAY = 24 * 3_600_000
export const START = Date.UTC(2026, 0, 10, 12)
export const gone = (path: string, text: string, init: Partial<VersionLine> = {}): Omit<VersionLine, 'atMs'> => ({
  ...{ run: 'r1', path: rel(path), why: 'replaced' },
  was: { kind: 'file', hash: hashOf(text), sizeBytes: text.length, mtimeNs: 1n, mode: 0o644 },
  ...init
})
