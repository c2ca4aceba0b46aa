import assert from 'node:assert/strict'
import { hashBytes } from '../../../storage/content/index.js'
import { givePlace, MAX_PACK_BYTES, MAX_PACKED_FILE_BYTES, READ_PIECE_BYTES } from '../../../sync/endpoints/index.js'
import type { EndpointFixture } from './endpoint-suite.js'
import { bytesOf, rel } from './gather.js'

const large = Buffer.alloc(3 * READ_PIECE_BYTES + 77)
for (let i = 0, x = 1; i < large.length; i++) large[i] = x = (x * 167 + 13) & 255

export function readingSuite(here: () => EndpointFixture): void {
  describe('reading', () => {
    it('a file, whole and in ranges, with its stat before and after', async () => {
      const { endpoint, tree } = here()
      tree.write('large', large)
      tree.write('empty', '')
      assert.ok((await bytesOf(endpoint.read(rel('large')))).equals(large))
      assert.equal((await bytesOf(endpoint.read(rel('empty')))).length, 0)
      const ranges = [
        { fromBytes: 5, lengthBytes: 10 },
        { fromBytes: READ_PIECE_BYTES - 1, lengthBytes: READ_PIECE_BYTES + 2 }
      ]
      const expected = Buffer.concat(ranges.map(r => large.subarray(r.fromBytes, r.fromBytes + r.lengthBytes)))
      assert.ok((await bytesOf(endpoint.read(rel('large'), { ranges }))).equals(expected))
      for await (const piece of endpoint.read(rel('large'))) {
        if (piece.kind === 'opened') assert.equal(piece.stat.sizeBytes, large.length)
        if (piece.kind === 'data') assert.ok(piece.bytes.length <= READ_PIECE_BYTES)
      }
    })
    it('memory of pieces that is handed back is used again; what is kept stays as it is', async () => {
      const { endpoint, tree } = here()
      const pieces = Array.from({ length: 16 }, (_, i) => Buffer.alloc(READ_PIECE_BYTES, i + 1))
      tree.write('pieces', Buffer.concat(pieces))
      const spent: ArrayBufferLike[] = []
      const kept: Uint8Array[] = []
      for await (const piece of endpoint.read(rel('pieces'), { spent })) {
        if (piece.kind !== 'data') continue
        assert.ok(pieces[piece.atBytes / READ_PIECE_BYTES]!.equals(piece.bytes))
        if ((piece.atBytes / READ_PIECE_BYTES) % 3 === 0) spent.push(piece.bytes.buffer)
        else kept.push(piece.bytes)
      }
      assert.ok(Buffer.concat(kept).equals(Buffer.concat(pieces.filter((_, i) => i % 3 !== 0))))
    })
    it('the hash of what was read comes with its end, holes and ranges counted, where it is asked for', async () => {
      const { endpoint, tree } = here()
      tree.write('large', large)
      tree.write('empty', '')
      tree.sparse('sparse', 5 * READ_PIECE_BYTES, new Map([[READ_PIECE_BYTES, large.subarray(0, 300_000)]]))
      const ranges = [
        { fromBytes: 5, lengthBytes: 10 },
        { fromBytes: READ_PIECE_BYTES - 1, lengthBytes: READ_PIECE_BYTES + 2 }
      ]
      for (const [path, how] of [
        ['large', {}],
        ['large', { ranges }],
        ['empty', {}],
        ['sparse', {}]
      ] as const) {
        let told: string | undefined
        const noted = async function* () {
          for await (const piece of endpoint.read(rel(path), { ...how, hashed: true })) {
            if (piece.kind === 'opened') assert.equal(piece.hashed, true)
            if (piece.kind === 'done') told = piece.hash
            yield piece
          }
        }
        assert.equal(told, undefined)
        const bytes = await bytesOf(noted())
        assert.equal(told, hashBytes(bytes), path)
      }
      for await (const piece of endpoint.read(rel('large'))) assert.ok(!('hash' in piece) && !('hashed' in piece))
    })
    it('pieces in places that are given back are each what they should be', async () => {
      const { endpoint, tree } = here()
      const pieces = Array.from({ length: 12 }, (_, i) => Buffer.alloc(READ_PIECE_BYTES, i + 1))
      tree.write('pieces', Buffer.concat([...pieces, Buffer.from('end')]))
      const kept: Uint8Array[] = []
      for await (const piece of endpoint.read(rel('pieces'), { shared: true })) {
        if (piece.kind !== 'data') continue
        const n = piece.atBytes / READ_PIECE_BYTES
        assert.ok((pieces[n] ?? Buffer.from('end')).equals(piece.bytes))
        if (n % 2 === 0) givePlace(piece.bytes.buffer)
        else kept.push(piece.bytes)
      }
      assert.deepEqual(
        kept.map(piece => piece[0]),
        [2, 4, 6, 8, 10, 12]
      )
    })
    it('what is no file, or not there, is an error with its code', async () => {
      const { endpoint, tree } = here()
      tree.write('dir/file', 'x')
      tree.symlink('link', 'dir/file')
      tree.symlink('dirlink', 'dir')
      tree.fifo('fifo')
      for (const [path, code] of [
        ['none', 'MISSING'],
        ['dir', 'NOT_A_FILE'],
        ['link', 'NOT_A_FILE'],
        ['fifo', 'NOT_A_FILE'],
        ['dirlink/file', 'LINK_IN_PATH']
      ] as const) {
        await assert.rejects(bytesOf(endpoint.read(rel(path))), { code }, path)
      }
      const past = [{ fromBytes: 0, lengthBytes: 2 }]
      await assert.rejects(bytesOf(endpoint.read(rel('dir/file'), { ranges: past })), { code: 'CHANGED_WHILE_READING' })
    })
    for (const [how, change] of [
      ['grows', (f: EndpointFixture) => f.tree.append('large', 'more')],
      ['is cut', (f: EndpointFixture) => f.tree.write('large', 'short')],
      [
        'is replaced',
        (f: EndpointFixture) => {
          f.tree.write('other', large)
          f.tree.rename('other', 'large')
        }
      ],
      ['is written over in place', (f: EndpointFixture) => f.tree.write('large', Buffer.alloc(large.length, 1))]
    ] as const) {
      it(`a file that ${how} while it is read is noticed`, async () => {
        const { endpoint, tree } = here()
        tree.write('large', Buffer.concat([large, large, large, large]), { mtimeNs: 1_000_000_000n })
        await assert.rejects(
          async () => {
            let changed = false
            for await (const piece of endpoint.read(rel('large'))) {
              if (piece.kind === 'data' && !changed) change(here())
              changed ||= piece.kind === 'data'
              assert.notEqual(piece.kind, 'done')
            }
          },
          { code: 'CHANGED_WHILE_READING' }
        )
      })
    }
    it('holes of a sparse file are told where the end knows them, and count as zeros', async () => {
      const { endpoint, tree } = here()
      const data = Buffer.alloc(300_000, 'x')
      const size = 20 * READ_PIECE_BYTES
      tree.sparse(
        'sparse',
        size,
        new Map([
          [0, data],
          [8 * READ_PIECE_BYTES, data]
        ])
      )
      const expected = Buffer.alloc(size)
      data.copy(expected, 0)
      data.copy(expected, 8 * READ_PIECE_BYTES)
      assert.ok((await bytesOf(endpoint.read(rel('sparse')))).equals(expected))
      const ranges = [{ fromBytes: 8 * READ_PIECE_BYTES - 10, lengthBytes: 3 * READ_PIECE_BYTES }]
      const part = expected.subarray(8 * READ_PIECE_BYTES - 10, 11 * READ_PIECE_BYTES - 10)
      assert.ok((await bytesOf(endpoint.read(rel('sparse'), { ranges }))).equals(part))
      let moved = 0
      for await (const piece of endpoint.read(rel('sparse'))) if (piece.kind === 'data') moved += piece.bytes.length
      assert.ok(process.platform !== 'linux' || moved < size / 2, `${moved} bytes were read`)
    })
    it('a loop that ends early, or is aborted, ends the reading', async () => {
      const { endpoint, tree } = here()
      tree.write('large', Buffer.concat(Array.from({ length: 8 }, () => large)))
      for await (const piece of endpoint.read(rel('large'))) if (piece.kind === 'data') break
      const reason = new Error('enough')
      const aborting = new AbortController()
      await assert.rejects(
        async () => {
          for await (const piece of endpoint.read(rel('large'), { signal: aborting.signal })) {
            if (piece.kind === 'data') aborting.abort(reason)
          }
        },
        err => err === reason
      )
    })
    it('small files come packed, with hash and stat, each failure in its place', async () => {
      const { endpoint, tree } = here()
      const contents = new Map(Array.from({ length: 40 }, (_, i) => [`f${i}`, large.subarray(0, i * 700)]))
      for (const [path, content] of contents) tree.write(path, content)
      tree.write('big', Buffer.alloc(MAX_PACKED_FILE_BYTES + 1))
      tree.mkdir('dir')
      const asked = ['none', ...contents.keys(), 'big', 'dir'].map(rel)
      const { data, files } = await endpoint.readPack(asked)
      assert.equal(data.length, Buffer.concat([...contents.values()]).length)
      assert.deepEqual(
        files.map(f => f.path),
        asked
      )
      for (const file of files) {
        const content = contents.get(file.path)
        if (content === undefined) continue
        assert.ok(file.problem === undefined)
        assert.ok(content.equals(data.subarray(file.offset, file.offset + file.length)))
        assert.equal(file.hash, hashBytes(content))
        assert.equal(file.stat.sizeBytes, content.length)
      }
      assert.deepEqual(
        files.flatMap(f => (f.problem === undefined ? [] : [[f.path, f.problem.code]])),
        [
          ['none', 'MISSING'],
          ['big', 'TOO_LARGE'],
          ['dir', 'NOT_A_FILE']
        ]
      )
    })
    it('a pack holds what fits, from the first on; the rest is asked for again', async () => {
      const { endpoint, tree } = here()
      const asked = Array.from({ length: 7 }, (_, i) => rel(`f${i}`))
      for (const path of asked) tree.write(path, Buffer.alloc(MAX_PACKED_FILE_BYTES, path))
      const seen: string[] = []
      let packs = 0
      for (let left = asked; left.length > 0; packs++) {
        const { data, files } = await endpoint.readPack(left)
        assert.ok(files.length > 0 && data.length <= MAX_PACK_BYTES)
        for (const file of files) {
          assert.ok(file.problem === undefined)
          assert.equal(file.hash, hashBytes(Buffer.alloc(MAX_PACKED_FILE_BYTES, file.path)))
        }
        seen.push(...files.map(f => f.path))
        left = left.slice(files.length)
      }
      assert.deepEqual(seen, asked)
      assert.equal(packs, 2)
    })
    it('hashes come in the order asked for, and say whether their stat can vouch for them', async () => {
      const { endpoint, tree } = here()
      const count = 100
      for (let i = 0; i < count; i++) tree.write(`f${i}`, `content ${i}`)
      tree.write('large', large)
      const asked = [...Array.from({ length: count }, (_, i) => rel(`f${i}`)), rel('none'), rel('large')]
      let bytes = 0
      const results = []
      for await (const one of endpoint.hash(asked, { onBytes: n => (bytes += n) })) results.push(one)
      assert.deepEqual(
        results.map(r => r.path),
        asked
      )
      const [first, , last] = [results[7]!, results[100]!, results[101]!]
      assert.ok(first.problem === undefined && first.hash === hashBytes(Buffer.from('content 7')))
      assert.ok(last.problem === undefined && last.hash === hashBytes(large))
      assert.equal(results[100]!.problem?.code, 'MISSING')
      assert.equal(
        bytes,
        large.length + Array.from({ length: count }, (_, i) => `content ${i}`.length).reduce((a, b) => a + b)
      )
      // Written a moment ago or not: what it says must follow from its own stat.
      tree.write('future', 'x', { mtimeNs: BigInt(Date.now() + 3_600_000) * 1_000_000n })
      for await (const one of endpoint.hash([rel('future')])) assert.ok(one.problem === undefined && one.racy)
    })
  })
}
