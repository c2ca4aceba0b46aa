import type { ContentHash } from '../../storage/base/index.js'
import type { Content } from './entry.js'

/** No hash begins so. */
const MARK = 'unread:'

/**
 * Stands for the content of a file that nobody has read yet: that of this one thing at this moment, equal to nothing else. A plan may
 * carry it where nothing can be the same, since the other end is empty; what is copied is read then, and its hash takes this
 * place before anything is written down.
 */
export const unreadContent = (inode: bigint, ctimeNs: bigint): ContentHash =>
  `${MARK}${inode.toString(16)}.${ctimeNs.toString(16)}` as ContentHash

/** The same where it does not matter of which file. */
export const UNREAD = MARK as ContentHash

/** Whether it stands for content that is to be read yet. */
export const isUnread = (hash: ContentHash): boolean => hash.startsWith(MARK)

/** A file with its hash, now that it was read; anything else as it is. */
export function withHash<T extends Content>(content: T, hash: ContentHash | undefined): T {
  return content.kind === 'file' && hash !== undefined ? { ...content, hash } : content
}
