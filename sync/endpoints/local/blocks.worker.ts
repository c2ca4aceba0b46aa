import {
  type ContentHash,
  defineTasks,
  displayPath,
  type LinkContext,
  type RelPath,
  SpacedriveError,
  type TaskContext
} from '../../../storage/base/index.js'
import { BlockReader, hashSource, readFully } from '../../../storage/content/index.js'
import type { EntryStat } from '../../../storage/files/index.js'
import type { BlockPiece } from '../blocks.js'
import { BLOCKS_A_PAGE, MAX_BLOCKS, PAGE_OF_BLOCKS_BYTES, READ_PIECE_BYTES } from '../limits.js'
import { sink } from '../pull.js'
import { stretches } from './holes.js'
import { changedWhileReading, type LocalRoot, reading, sameContent } from './reading.js'

interface Input {
  readonly root: LocalRoot
  readonly path: RelPath
}

interface BlocksInput extends Input {
  readonly averageBytes: number
  readonly fromBytes: number | undefined
}

export const blockTasks = defineTasks(import.meta.url, {
  /** See `Endpoint.blocks`. */
  async blocks({ root, path, averageBytes, fromBytes }: BlocksInput, ctx: LinkContext): Promise<void> {
    const out = sink<BlockPiece>(ctx)
    await reading(root, async reader => {
      const file = reader.open(path)
      try {
        const before = file.stat()
        if (before.sizeBytes > (MAX_BLOCKS - 1) * (averageBytes / 4)) throw tooLarge(path)
        if (fromBytes !== undefined && fromBytes > before.sizeBytes) throw changedWhileReading(path)
        const blocks = new BlockReader(averageBytes, { whole: fromBytes === undefined })
        let told = fromBytes ?? 0
        const buffer = new Uint8Array(READ_PIECE_BYTES)
        const send = async (at: number): Promise<void> => {
          told = at
          const { lengths, hashes } = blocks.take()
          await out.send({ kind: 'blocks', lengths, hashes }, [lengths.buffer, hashes.buffer])
        }
        for (const { from, to, hole } of stretches(file, before, fromBytes ?? 0, before.sizeBytes)) {
          for (let at = from; at < to; at += READ_PIECE_BYTES) {
            const bytes = buffer.subarray(0, Math.min(READ_PIECE_BYTES, to - at))
            if (hole) bytes.fill(0)
            else if (readFully(file, bytes, at) < bytes.length) throw changedWhileReading(path)
            blocks.update(bytes)
            const isLong = at - told >= PAGE_OF_BLOCKS_BYTES
            if (blocks.ready >= BLOCKS_A_PAGE || (isLong && blocks.ready > 0)) await send(at)
            else await out.giveWay()
          }
        }
        const hash = blocks.end()
        if (blocks.ready > 0) await send(before.sizeBytes)
        const stat = file.stat()
        if (!sameContent(before, stat)) throw changedWhileReading(path)
        await out.send({ kind: 'done', stat, ...(hash !== undefined && { hash }) })
      } finally {
        file.close()
      }
    })
  },

  /** See `Endpoint.hashStart`; emits how many bytes were read. */
  hashStart(
    { root, path, lengthBytes }: Input & { lengthBytes: number },
    ctx: TaskContext
  ): Promise<{ hash: ContentHash; stat: EntryStat }> {
    return reading(root, async reader => {
      const file = reader.open(path)
      try {
        const source = {
          stat: () => file.stat(),
          read(into: Uint8Array, atBytes: number) {
            const n = file.read(into, atBytes)
            ctx.emit(n)
            return n
          }
        }
        const { hash } = await hashSource(source, displayPath(path), { signal: ctx.signal, lengthBytes })
        return { hash, stat: file.stat() }
      } finally {
        file.close()
      }
    })
  }
})

const tooLarge = (path: RelPath): SpacedriveError =>
  new SpacedriveError('TOO_LARGE', `could not compare ${displayPath(path)}: it is too large for a list of its blocks`)
