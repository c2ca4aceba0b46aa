import type { ContentHash, RelPath } from '../../storage/base/index.js'

/** Where a content lies in a version store. */
export const keptPath = (hash: ContentHash): RelPath => `${hash.slice(0, 2)}/${hash}` as RelPath
/** The content that a path in a version store is for. */
export const keptHash = (path: RelPath): ContentHash => path.slice(3) as ContentHash
