import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { appendFileSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { hashBytes } from '../../../storage/content/index.js'
import { type TransferLargeInit, transferLarge, transferSmall } from '../../../sync/delta/index.js'
import { type Endpoint, type EndpointStage, MAX_PACKED_FILE_BYTES } from '../../../sync/endpoints/index.js'
import { rel } from '../../sync/endpoints/gather.js'
import { type ReplicaPair, remoteFolder, replicaPair } from './fixture.js'

const MIB = 1024 * 1024
const FILE = rel('dir/file')

/** Bytes without a pattern, the same each time. */
function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0, x = seed; i < length; i += 4) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    bytes.writeInt32LE(x, Math.min(i, length - 4))
  }
  return bytes
}

describe('content between two devices', () => {
  let pair: ReplicaPair
  before(async () => {
    pair = await replicaPair()
  })
  after(() => pair.stop())

  /** One folder of each device; content goes from `from` to `to`, of which the one or the other is remote. */
  async function ends(direction: 'push' | 'pull') {
    const [here, there] = [await remoteFolder(pair), await remoteFolder(pair)]
    const [local, remote] = [await pair.parts.open(here.root), await there.open()]
    const [source, destination] = direction === 'push' ? [here.root, there.root] : [there.root, here.root]
    const [from, to]: [Endpoint, Endpoint] = direction === 'push' ? [local, remote] : [remote, local]
    for (const root of [source, destination]) mkdirSync(`${root}/dir`)
    const stage = await to.openStage(randomUUID())
    return {
      ...{ from, to, stage, source, destination },
      write: (root: string, content: Uint8Array): void => writeFileSync(`${root}/${FILE}`, content),
      /** What was staged gets its name, and is read there. */
      async placed(): Promise<Buffer> {
        const path = rel('new')
        await to.place([{ kind: 'create', path, from: { staging: stage.id, path: FILE } }])
        const content = readFileSync(`${destination}/new`)
        rmSync(`${destination}/new`)
        return content
      },
      async close(): Promise<void> {
        await stage.discard()
        await local.close()
        for (const folder of [here, there]) await folder.close()
      }
    }
  }
  type Ends = Awaited<ReturnType<typeof ends>>

  const large = ({ from, to, stage }: Ends, sizeBytes: number, more: Partial<TransferLargeInit> = {}) =>
    transferLarge({
      ...{ from, path: FILE, sizeBytes, to: stage, stagedAs: FILE, basis: { at: to, path: FILE } },
      attributes: stat => ({ mode: stat.mode, mtimeNs: stat.mtimeNs }),
      ...more
    })

  for (const direction of ['push', 'pull'] as const) {
    describe(direction === 'push' ? 'to a remote end' : 'from a remote end', () => {
      const old = noise(12 * MIB, 1)
      const [middle, insertion] = [noise(MIB, 2), noise(1000, 3)]
      const near = 768 * 1024
      for (const [name, content, most] of [
        ['the same again travels as a list of blocks', old, 0],
        [
          'what is written over in the middle',
          Buffer.concat([old.subarray(0, 5 * MIB), middle, old.subarray(6 * MIB)]),
          MIB + near
        ],
        ['what is put in at the front', Buffer.concat([insertion, old]), 1000 + near],
        ['what is left out in the middle', Buffer.concat([old.subarray(0, 3 * MIB), old.subarray(4 * MIB + 77)]), near],
        ['what is added at the end', Buffer.concat([old, insertion]), 1000 + near],
        ['two halves that change places', Buffer.concat([old.subarray(6 * MIB), old.subarray(0, 6 * MIB)]), 2 * near],
        ['nothing in common', noise(3 * MIB, 4), 3 * MIB]
      ] as const) {
        it(`${name}: only the blocks that are new`, async () => {
          const both = await ends(direction)
          both.write(both.source, content)
          both.write(both.destination, old)
          let came = 0
          const result = await large(both, content.length, { onBytes: n => (came += n) })
          assert.equal(result.hash, hashBytes(content))
          assert.ok(result.movedBytes <= most, `${result.movedBytes} bytes moved`)
          assert.equal(result.movedBytes + result.foundBytes, content.length)
          assert.equal(came, content.length)
          assert.equal(result.stat.mtimeNs, lstatSync(`${both.source}/${FILE}`, { bigint: true }).mtimeNs)
          assert.ok((await both.placed()).equals(content))
          await both.close()
        })
      }

      it('random edits end as the same content', async () => {
        const both = await ends(direction)
        const base = noise(2 * MIB, 5)
        both.write(both.destination, base)
        const edit = fc.record({ at: fc.nat(2 * MIB), removed: fc.nat(100_000), inserted: fc.nat(50_000) })
        await fc.assert(
          fc.asyncProperty(fc.array(edit, { maxLength: 4 }), async edits => {
            let content = base
            for (const [i, { at, removed, inserted }] of edits.entries())
              content = Buffer.concat([
                content.subarray(0, at),
                noise(inserted + 4, i + 9),
                content.subarray(at + removed)
              ])
            both.write(both.source, content)
            const { hash, movedBytes, foundBytes } = await large(both, content.length)
            assert.equal(hash, hashBytes(content))
            assert.equal(movedBytes + foundBytes, content.length)
            assert.ok((await both.placed()).equals(content))
          }),
          { numRuns: 8 }
        )
        await both.close()
      })

      it('goes on where it was interrupted, also with a basis; what is no beginning of it begins again', async () => {
        const both = await ends(direction)
        const content = Buffer.concat([old.subarray(0, 6 * MIB), noise(6 * MIB, 6)])
        both.write(both.source, content)
        const aborting = new AbortController()
        const enough = new Error('enough')
        let came = 0
        const onBytes = (n: number): void => {
          came += n
          if (came >= 2 * MIB) aborting.abort(enough)
        }
        const first = large(both, content.length, { basis: undefined, signal: aborting.signal, onBytes })
        await assert.rejects(first, err => err === enough)
        both.write(both.destination, old)
        const second = await large(both, content.length)
        assert.ok(second.foundBytes >= 6 * MIB - near, `${second.foundBytes} bytes found`)
        assert.ok((await both.placed()).equals(content))
        const writer = await both.stage.openFile(FILE, { sizeBytes: content.length })
        await writer.append(Buffer.from('something else'))
        await writer.close()
        const third = await large(both, content.length, { basis: undefined })
        assert.deepEqual([third.movedBytes, third.foundBytes], [content.length, 0])
        assert.ok((await both.placed()).equals(content))
        const whole = await both.stage.openFile(FILE, { sizeBytes: content.length })
        await whole.append(new Uint8Array(content)) // handed over
        await whole.close()
        const fourth = await large(both, content.length)
        assert.deepEqual([fourth.movedBytes, fourth.foundBytes], [0, content.length])
        await both.close()
      })

      it('a basis that is not there, or changes between its list and its use, costs the way without it', async () => {
        const both = await ends(direction)
        // Its halves change places: both lists are made to their ends.
        const content = Buffer.concat([old.subarray(6 * MIB), old.subarray(0, 6 * MIB)])
        both.write(both.source, content)
        const none = await large(both, content.length, { basis: { at: both.to, path: rel('none') } })
        assert.equal(none.movedBytes, content.length)
        assert.ok((await both.placed()).equals(content))
        for (const [change, least] of [
          [() => both.write(both.destination, noise(12 * MIB, 8)), content.length],
          [() => both.write(both.destination, Buffer.from('short')), content.length],
          [() => rmSync(`${both.destination}/${FILE}`), 0] // it is open there, and stays what it was
        ] as const) {
          both.write(both.destination, old)
          const at: Pick<Endpoint, 'blocks'> = {
            async *blocks(path, options) {
              for await (const piece of both.to.blocks(path, options)) {
                if (piece.kind === 'done') change()
                yield piece
              }
            }
          }
          let came = 0
          const result = await large(both, content.length, { basis: { at, path: FILE }, onBytes: n => (came += n) })
          assert.ok(result.movedBytes >= least, `${result.movedBytes} bytes moved`)
          assert.equal(came, content.length)
          assert.ok((await both.placed()).equals(content))
        }
        await both.close()
      })

      it('a basis that changes while it is gone along with gives what it still has', async () => {
        const both = await ends(direction)
        both.write(both.source, old)
        const other = noise(4 * MIB, 8)
        for (const [change, most] of [
          [() => both.write(both.destination, Buffer.concat([old.subarray(0, 5 * MIB), other])), 8 * MIB],
          [() => both.write(both.destination, old.subarray(0, 3 * MIB)), 10 * MIB],
          [() => rmSync(`${both.destination}/${FILE}`), 12 * MIB]
        ] as const) {
          both.write(both.destination, old)
          const from: TransferLargeInit['from'] = {
            read: both.from.read.bind(both.from),
            hashStart: both.from.hashStart.bind(both.from),
            async *blocks(path, options) {
              change()
              yield* both.from.blocks(path, options)
            }
          }
          const { movedBytes, foundBytes } = await large(both, old.length, { from })
          assert.ok(movedBytes <= most, `${movedBytes} bytes moved`)
          assert.equal(movedBytes + foundBytes, old.length)
          assert.ok((await both.placed()).equals(old))
        }
        await both.close()
      })

      it('edits all over it are found as well, however many', async () => {
        const both = await ends(direction)
        const pieces: Buffer[] = []
        for (let i = 0; i < 12; i++) pieces.push(noise(100 + i, i + 20), old.subarray(i * MIB, (i + 1) * MIB))
        const content = Buffer.concat(pieces)
        both.write(both.source, content)
        both.write(both.destination, old)
        const { movedBytes } = await large(both, content.length)
        assert.ok(movedBytes <= 12 * 256 * 1024, `${movedBytes} bytes moved`)
        assert.ok((await both.placed()).equals(content))
        await both.close()
      })

      it('a source that is not what it was said to be is noticed', async () => {
        const both = await ends(direction)
        const content = noise(2 * MIB, 9)
        both.write(both.source, content)
        both.write(both.destination, old)
        const changed = { code: 'CHANGED_WHILE_READING' }
        await assert.rejects(large(both, content.length + 1), changed)
        await assert.rejects(large(both, content.length - 1, { basis: undefined }), changed)
        const from: TransferLargeInit['from'] = {
          read: both.from.read.bind(both.from),
          hashStart: both.from.hashStart.bind(both.from),
          async *blocks(path, options) {
            for await (const piece of both.from.blocks(path, options)) {
              if (piece.kind === 'done') appendFileSync(`${both.source}/${FILE}`, 'more')
              yield piece
            }
          }
        }
        await assert.rejects(large(both, content.length, { from }), changed)
        both.write(both.source, content)
        await assert.rejects(large(both, content.length, { hash: hashBytes(old) }), changed)
        await assert.rejects(large(both, content.length, { hash: hashBytes(old), basis: undefined }), changed)
        assert.deepEqual(
          readdirSync(both.destination).filter(n => !n.startsWith('.')),
          ['dir']
        )
        await both.close()
      })

      it('small files go many to a message and several messages at once; results in order, each with its outcome', async () => {
        const both = await ends(direction)
        const count = 1200
        const content = (i: number): Buffer => noise(4 + (i % 50) * 100, i + 1)
        for (let i = 0; i < count; i++) writeFileSync(`${both.source}/f${i}`, content(i))
        writeFileSync(`${both.source}/big`, Buffer.alloc(MAX_PACKED_FILE_BYTES + 1))
        const names = ['none', ...Array.from({ length: count }, (_, i) => `f${i}`), 'big']
        const calls = { asked: 0, atOnce: 0, most: 0 }
        const places = new Set<unknown>()
        const from: Pick<Endpoint, 'readPack'> = {
          async readPack(paths, options) {
            calls.asked++
            places.add(options?.into)
            calls.most = Math.max(calls.most, ++calls.atOnce)
            return both.from.readPack(paths, options).finally(() => calls.atOnce--)
          }
        }
        const stage: Pick<EndpointStage, 'write'> = { write: both.stage.write.bind(both.stage) }
        const files = names.map(name => ({ path: rel(name), sizeBytes: 2500, stagedAs: rel(`in/${name}`) }))
        const results = []
        for await (const some of transferSmall({
          from,
          to: stage,
          files,
          attributes: (_, stat) => ({ mtimeNs: stat.mtimeNs })
        }))
          results.push(...some)
        assert.deepEqual(
          results.map(r => r.file),
          files
        )
        assert.deepEqual(
          results.filter(r => r.problem !== undefined).map(r => [r.file.path, r.problem!.code]),
          [
            ['none', 'MISSING'],
            ['big', 'TOO_LARGE']
          ]
        )
        assert.ok(calls.asked <= 4, `${calls.asked} packs`)
        assert.ok(calls.most > 1)
        for (let time = 0; time < 8; time++) {
          const again = files.slice(0, 50).map(file => ({ ...file, stagedAs: rel(`again/${time}/${file.path}`) }))
          for await (const some of transferSmall({ from, to: stage, files: again })) assert.ok(some.length > 0)
        }
        assert.ok(places.size <= 6, `${places.size} places for ${calls.asked} packs`)
        const verified = await both.stage.verify(
          Array.from({ length: 500 }, (_, i) => ({
            ...{ path: rel(`in/f${i}`), sizeBytes: content(i).length, hash: hashBytes(content(i)) }
          }))
        )
        assert.deepEqual(new Set(verified), new Set(['whole']))
        await both.close()
      })
    })
  }
})
