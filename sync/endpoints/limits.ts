/** Entries in one page of `list` or `walk`: some 100 KiB, a millisecond or two of looking. */
export const PAGE_ENTRIES = 512
/** Paths in one call of `look` or `readPack`: bounds a message. */
export const MAX_LOOKS = 1000
/**
 * Letters of the names in one call of `place`, however many steps it has: bounds a message, and its answer where each name is told of
 * as it is shown.
 */
export const MAX_PLACED_LETTERS = 512 * 1024
/** One piece of `read`: large enough for full speed, small enough to be aborted between two. */
export const READ_PIECE_BYTES = 1024 * 1024
/** Blocks in one message of `blocks`, at most: 2.5 KiB that tell of 8 MiB. */
export const BLOCKS_A_PAGE = 128
/**
 * Nor does a message wait for more content to be gone through, however large the blocks are: who reads a large file tells by these
 * messages that he gets on, and of blocks of 4 MiB 128 would be 512.
 */
export const PAGE_OF_BLOCKS_BYTES = 16 * 1024 * 1024
/**
 * Blocks of one file: 512 GiB at the largest average, were each as short as it may be. What is larger is not compared by
 * blocks: TOO_LARGE.
 */
export const MAX_BLOCKS = 524_288
/** A longer hole is told as several: the receiver hashes its zeros, 6 GB a second, and must be abortable between two. */
export const MAX_HOLE_BYTES = 256 * 1024 * 1024
/** Files up to this size may be read by `readPack`: larger ones gain nothing from sharing a buffer. */
export const MAX_PACKED_FILE_BYTES = 1024 * 1024
/** All bytes of one pack, and what one call of `EndpointStage.write` should carry. */
export const MAX_PACK_BYTES = 4 * 1024 * 1024
