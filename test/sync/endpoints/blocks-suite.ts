import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { BLOCK_HASH_BYTES, BlockReader, hashBytes, MIN_BLOCK_AVERAGE } from '../../../storage/content/index.js'
import { type BlockPiece, MAX_BLOCKS, PAGE_OF_BLOCKS_BYTES, READ_PIECE_BYTES } from '../../../sync/endpoints/index.js'
import type { EndpointFixture } from './endpoint-suite.js'
import { rel } from './gather.js'

const content = Buffer.alloc(5 * READ_PIECE_BYTES + 77)
for (let i = 0, x = 1; i < content.length; i++) {
  x = (Math.imul(x, 1_103_515_245) + 12_345) & 0x7fffffff
  content[i] = x >>> 16
}
const averageBytes = MIN_BLOCK_AVERAGE

async function listOf(pieces: AsyncIterable<BlockPiece>) {
  const lengths: number[] = []
  const hashes: Buffer[] = []
  let done: (BlockPiece & { kind: 'done' }) | undefined
  for await (const piece of pieces) {
    assert.equal(done, undefined)
    if (piece.kind === 'done') done = piece
    else {
      assert.equal(piece.hashes.length, piece.lengths.length * BLOCK_HASH_BYTES)
      lengths.push(...piece.lengths)
      hashes.push(Buffer.from(piece.hashes))
    }
  }
  return { lengths, hashes: Buffer.concat(hashes).toString('hex'), done: done! }
}

/** What every end promises of blocks, of the start of a file, and of stretches taken from files that are there. */
export function blocksSuite(here: () => EndpointFixture): void {
  describe('blocks', () => {
    it('are those of the content, with the hash of the whole', async () => {
      const { endpoint, tree } = here()
      const reader = new BlockReader(averageBytes)
      reader.update(content)
      const hash = reader.end()
      const { lengths, hashes } = reader.take()
      tree.write('file', content)
      const list = await listOf(endpoint.blocks(rel('file'), { averageBytes }))
      assert.deepEqual(list.lengths, [...lengths])
      assert.equal(list.hashes, Buffer.from(hashes).toString('hex'))
      assert.equal(list.done.hash, hash)
      assert.equal(list.done.stat.sizeBytes, content.length)
      tree.write('empty', '')
      assert.deepEqual((await listOf(endpoint.blocks(rel('empty'), { averageBytes }))).lengths, [])
    })
    it('are told of every 16 MiB, however large they are: who reads them gets on', async () => {
      const { endpoint, tree } = here()
      tree.write('large', Buffer.concat(Array.from({ length: 12 }, () => content)))
      const counts: number[] = []
      for await (const piece of endpoint.blocks(rel('large'), { averageBytes: 16 * MIN_BLOCK_AVERAGE }))
        if (piece.kind === 'blocks') counts.push(piece.lengths.reduce((sum, length) => sum + length, 0))
      // A message is told of once it is read; what the last block of it began is told of with the next.
      assert.ok(Math.max(...counts) <= PAGE_OF_BLOCKS_BYTES + 4 * 16 * MIN_BLOCK_AVERAGE, counts.join())
      assert.ok(counts.length >= 3)
    })
    it('from a place on are those of a file that begins there', async () => {
      const { endpoint, tree } = here()
      tree.write('file', content)
      const [fromBytes, reader] = [READ_PIECE_BYTES + 33, new BlockReader(averageBytes, { whole: false })]
      reader.update(content.subarray(fromBytes))
      assert.equal(reader.end(), undefined)
      const { lengths, hashes } = reader.take()
      const list = await listOf(endpoint.blocks(rel('file'), { averageBytes, fromBytes }))
      assert.deepEqual([list.lengths, list.hashes], [[...lengths], Buffer.from(hashes).toString('hex')])
      assert.deepEqual([list.done.hash, list.done.stat.sizeBytes], [undefined, content.length])
      const none = await listOf(endpoint.blocks(rel('file'), { averageBytes, fromBytes: content.length }))
      assert.deepEqual(none.lengths, [])
      const behind = listOf(endpoint.blocks(rel('file'), { averageBytes, fromBytes: content.length + 1 }))
      await assert.rejects(behind, { code: 'CHANGED_WHILE_READING' })
    })
    it('that a file may have are written up to the first that it has not, where they are meant to be', async () => {
      const { endpoint, tree } = here()
      tree.write('dir/old', content)
      const reader = new BlockReader(averageBytes)
      reader.update(content)
      reader.end()
      const { lengths, hashes } = reader.take()
      const some = (from: number, to = lengths.length) => ({
        lengths: lengths.slice(from, to),
        hashes: hashes.slice(from * BLOCK_HASH_BYTES, to * BLOCK_HASH_BYTES)
      })
      const end = (count: number): number => lengths.slice(0, count).reduce((a, b) => a + b, 0)
      const stage = await endpoint.openStage(randomUUID())
      const writer = await stage.openFile(rel('new'), { sizeBytes: content.length })
      const path = rel('dir/old')
      // Asked ahead: what follows blocks that are not there is not written.
      const wrong = some(3, 6)
      wrong.hashes[BLOCK_HASH_BYTES] = wrong.hashes[BLOCK_HASH_BYTES]! ^ 1
      assert.deepEqual(
        await Promise.all([
          writer.appendBlocks({ path, fromBytes: 0, atBytes: 0, ...some(0, 3) }),
          writer.appendBlocks({ path, fromBytes: end(3), atBytes: end(3), ...wrong }),
          writer.appendBlocks({ path, fromBytes: end(6), atBytes: end(6), ...some(6, 9) })
        ]),
        [3, 1, 0]
      )
      assert.equal(writer.positionBytes, end(4))
      const there = { atBytes: end(4), ...some(4, 6) }
      assert.equal(await writer.appendBlocks({ path, fromBytes: end(4) + 1, ...there }), 0)
      for (const other of ['none', 'dir', 'dir/old/below'])
        assert.equal(await writer.appendBlocks({ path: rel(other), fromBytes: end(4), ...there }), 0)
      assert.equal(
        await writer.appendBlocks({ path, fromBytes: end(4), atBytes: end(4), ...some(4) }),
        lengths.length - 4
      )
      await writer.restart()
      assert.equal(await writer.appendBlocks({ path, fromBytes: 0, atBytes: 0, ...some(0) }), lengths.length)
      const hash = hashBytes(content)
      assert.deepEqual(await writer.finish({ hash }), { hash })
      await stage.discard()
    })
    it('of a sparse file are those of its zeros', async () => {
      const { endpoint, tree } = here()
      const size = 3 * READ_PIECE_BYTES
      tree.sparse('sparse', size, new Map([[READ_PIECE_BYTES, content.subarray(0, 1000)]]))
      const whole = Buffer.alloc(size)
      content.copy(whole, READ_PIECE_BYTES, 0, 1000)
      tree.write('full', whole)
      const [sparse, full] = [
        await listOf(endpoint.blocks(rel('sparse'), { averageBytes })),
        await listOf(endpoint.blocks(rel('full'), { averageBytes }))
      ]
      assert.deepEqual([sparse.hashes, sparse.done.hash], [full.hashes, hashBytes(whole)])
    })
    it('what is no file, or too large for a list, is an error with its code', async () => {
      const { endpoint, tree } = here()
      tree.mkdir('dir')
      const limit = (MAX_BLOCKS - 1) * (averageBytes / 4)
      tree.sparse('huge', limit + 1, new Map())
      for (const [path, code] of [
        ['none', 'MISSING'],
        ['dir', 'NOT_A_FILE'],
        ['huge', 'TOO_LARGE']
      ] as const) {
        await assert.rejects(listOf(endpoint.blocks(rel(path), { averageBytes })), { code }, path)
        if (path !== 'huge') await assert.rejects(endpoint.hashStart(rel(path), 1), { code }, path)
      }
      tree.sparse('large', limit, new Map())
      for await (const piece of endpoint.blocks(rel('large'), { averageBytes })) {
        assert.equal(piece.kind, 'blocks')
        break
      }
    })
    it('a file that changes while it is cut is noticed', async () => {
      const { endpoint, tree } = here()
      tree.write('file', Buffer.concat(Array.from({ length: 22 }, () => content)), { mtimeNs: 1_000_000_000n })
      await assert.rejects(
        async () => {
          let changed = false
          for await (const piece of endpoint.blocks(rel('file'), { averageBytes })) {
            if (!changed) tree.append('file', 'more')
            changed = true
            assert.notEqual(piece.kind, 'done')
          }
        },
        { code: 'CHANGED_WHILE_READING' }
      )
    })
    it('the start of a file has its hash, and what was read for it is counted', async () => {
      const { endpoint, tree } = here()
      tree.write('file', content)
      for (const length of [0, 1, READ_PIECE_BYTES, READ_PIECE_BYTES + 1, content.length]) {
        let read = 0
        const onBytes = (bytes: number): void => {
          read += bytes
        }
        const { hash, stat } = await endpoint.hashStart(rel('file'), length, { onBytes })
        assert.equal(read, length)
        assert.equal(hash, hashBytes(content.subarray(0, length)))
        assert.equal(stat.sizeBytes, content.length)
      }
      await assert.rejects(endpoint.hashStart(rel('file'), content.length + 1), { code: 'CHANGED_WHILE_READING' })
    })
    it('a stretch of a file that is there is written where it is asked for, between what is sent', async () => {
      const { endpoint, tree } = here()
      tree.write('dir/old', content)
      const stage = await endpoint.openStage(randomUUID())
      const expected = Buffer.concat([
        Buffer.from('begin'),
        content.subarray(7, 2 * READ_PIECE_BYTES),
        Buffer.from('middle'),
        content.subarray(0, 5)
      ])
      const writer = await stage.openFile(rel('new'), { sizeBytes: expected.length })
      const path = rel('dir/old')
      await Promise.all([
        writer.append(Buffer.from('begin')),
        writer.appendStretch({ path, fromBytes: 7, lengthBytes: 2 * READ_PIECE_BYTES - 7 }),
        writer.append(Buffer.from('middle')),
        writer.appendStretch({ path, fromBytes: 0, lengthBytes: 5 })
      ])
      assert.equal(writer.positionBytes, expected.length)
      const hash = hashBytes(expected)
      assert.deepEqual(await writer.finish({ hash }), { hash })
      await stage.discard()
    })
    it('what is not as it should be at its end is emptied, and begun again where it stands then', async () => {
      const { endpoint } = here()
      const stage = await endpoint.openStage(randomUUID())
      const writer = await stage.openFile(rel('new'), { sizeBytes: 5 })
      const [right, wrong] = [Buffer.from('right'), Buffer.from('wrong')]
      await writer.append(wrong)
      await assert.rejects(writer.finish({ hash: hashBytes(right) }), { code: 'HASH_MISMATCH' })
      assert.equal(writer.positionBytes, 0)
      await writer.append(right)
      assert.deepEqual(await writer.finish({ hash: hashBytes(right) }), { hash: hashBytes(right) })
      await stage.discard()
    })
    it('a stretch that is not there, or of what may not be reached, is an error; holes stay holes', async () => {
      const { endpoint, tree } = here()
      tree.write('short', 'short')
      tree.write('dir/file', 'file')
      tree.symlink('link', 'short')
      tree.symlink('dirlink', 'dir')
      tree.sparse('sparse', 4 * READ_PIECE_BYTES, new Map([[0, content.subarray(0, 10)]]))
      const stage = await endpoint.openStage(randomUUID())
      const sizeBytes = 4 * READ_PIECE_BYTES
      const writer = await stage.openFile(rel('new'), { sizeBytes })
      for (const [path, code] of [
        ['none', 'MISSING'],
        ['short', 'CHANGED_WHILE_READING'],
        ['link', 'NOT_A_FILE'],
        ['dir', 'NOT_A_FILE'],
        ['dirlink/file', 'LINK_IN_PATH']
      ] as const) {
        await assert.rejects(writer.appendStretch({ path: rel(path), fromBytes: 0, lengthBytes: 10 }), { code }, path)
        await writer.restart()
      }
      const sparse = rel('sparse')
      await assert.rejects(writer.appendStretch({ path: sparse, fromBytes: 1, lengthBytes: sizeBytes }), {
        code: 'CHANGED_WHILE_READING'
      })
      await writer.restart()
      await writer.appendStretch({ path: sparse, fromBytes: 0, lengthBytes: sizeBytes })
      await writer.finish({})
      await writer.close()
      const again = await stage.openFile(rel('again'), { sizeBytes })
      const blocks: { lengths: number[]; hashes: number[] } = { lengths: [], hashes: [] }
      for await (const piece of endpoint.blocks(sparse, { averageBytes })) {
        if (piece.kind === 'done') break
        blocks.lengths.push(...piece.lengths)
        blocks.hashes.push(...piece.hashes)
      }
      const lists = { lengths: Uint32Array.from(blocks.lengths), hashes: Uint8Array.from(blocks.hashes) }
      assert.equal(
        await again.appendBlocks({ path: sparse, fromBytes: 0, atBytes: 0, ...lists }),
        blocks.lengths.length
      )
      await again.finish({})
      await endpoint.place([{ kind: 'create', path: rel('again'), from: { staging: stage.id, path: rel('again') } }])
      const [copy] = await endpoint.look([rel('again')])
      assert.ok(copy!.entry!.stat.allocatedBytes! < READ_PIECE_BYTES)
      await endpoint.place([{ kind: 'create', path: rel('new'), from: { staging: stage.id, path: rel('new') } }])
      const [{ entry } = {}] = await endpoint.look([rel('new')])
      assert.ok(entry!.stat.allocatedBytes! < READ_PIECE_BYTES)
      await stage.discard()
    })
  })
}
