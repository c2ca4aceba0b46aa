import assert from 'node:assert/strict'
import type { ContentHash } from '../../../storage/base/index.js'
import { createHasher, hashBytes, hashToBytes } from '../../../storage/content/index.js'
import {
  type EntryStat,
  fromStagedColumns,
  type StagedFileWriter,
  toStagedColumns
} from '../../../storage/files/index.js'
import { transferLarge, transferSmall } from '../../../sync/delta/index.js'
import type { Endpoint, EndpointStage, PackedFile, ReadPiece } from '../../../sync/endpoints/index.js'
import { rel } from '../endpoints/gather.js'

const MIB = 2 ** 20
const SMALL_BYTES = 1000

const statOf = (sizeBytes: number): EntryStat => ({
  ...{ kind: 'file', sizeBytes, mtimeNs: 1n, ctimeNs: 1n, birthNs: 1n, device: 1n, inode: 1n, mount: 1n },
  ...{ mode: 0o644, links: 1, uid: 0 }
})

/** A link on which every question waits for its answer until nobody has anything more to ask: one round trip. */
class FarLink {
  roundTrips = 0
  readonly #waiting: (() => void)[] = []

  /** The answer comes back with the next round trip. */
  async crossed<T>(answer: T): Promise<T> {
    await new Promise<void>(resolve => this.#waiting.push(resolve))
    return answer
  }

  /** Answers, trip by trip, until the work is done. */
  async serve<T>(work: Promise<T>): Promise<T> {
    let over = false
    const ended = work.finally(() => {
      over = true
    })
    ended.catch(() => {})
    while (!over) {
      // What is in memory goes on in microtasks: all of it is asked by then.
      await new Promise(resolve => setImmediate(resolve))
      const answers = this.#waiting.splice(0)
      if (answers.length > 0) this.roundTrips++
      for (const answer of answers) answer()
    }
    return ended
  }
}

/** A file of this device, of zeros. */
function zeros(sizeBytes: number): Pick<Endpoint, 'read' | 'blocks' | 'hashStart'> {
  const never = (): never => assert.fail('nothing is there to compare with')
  return {
    async *read(): AsyncGenerator<ReadPiece> {
      yield { kind: 'opened', stat: statOf(sizeBytes) }
      for (let atBytes = 0; atBytes < sizeBytes; atBytes += MIB)
        yield { kind: 'data', atBytes, bytes: new Uint8Array(Math.min(MIB, sizeBytes - atBytes)) }
      yield { kind: 'done', stat: statOf(sizeBytes) }
    },
    ...{ blocks: never, hashStart: never }
  }
}

/** A staging place at the other end of the link. */
function farStage(link: FarLink, written: (bytes: number) => void): Pick<EndpointStage, 'openFile' | 'write'> {
  return {
    openFile(path, { sizeBytes }) {
      const hasher = createHasher()
      let positionBytes = 0
      const never = (): never => assert.fail('not for a file that is new')
      const writer: StagedFileWriter = {
        ...{ path, sizeBytes, positionBytes: 0 },
        ...{ prefixHash: never, appendHole: never, appendStretch: never, appendBlocks: never, restart: never },
        append(bytes) {
          hasher.update(bytes)
          positionBytes += bytes.length
          written(bytes.length)
          return link.crossed(undefined)
        },
        async finish({ hash }: { hash?: ContentHash }) {
          assert.equal(positionBytes, sizeBytes)
          assert.equal(hasher.digest(), hash)
          return link.crossed({ hash: hasher.digest() })
        },
        close: async () => {}
      }
      return link.crossed(writer)
    },
    write(given, data) {
      const entries = fromStagedColumns(toStagedColumns(given))
      const hashes = new Uint8Array(32 * entries.length)
      for (const [i, entry] of entries.entries()) {
        assert.ok(entry.kind === 'file')
        hashes.set(hashToBytes(hashBytes(data.subarray(entry.offset, entry.offset + entry.length))), 32 * i)
      }
      written(data.length)
      return link.crossed({ hashes, problems: [] })
    }
  }
}

/** Small files of zeros, here or beyond the link. */
const packs = (answer: <T>(value: T) => Promise<T>): Pick<Endpoint, 'readPack'> => ({
  readPack(paths) {
    const hash = hashBytes(new Uint8Array(SMALL_BYTES))
    const files = paths.map(
      (path, i): PackedFile => ({
        ...{ path, offset: i * SMALL_BYTES, length: SMALL_BYTES, hash, stat: statOf(SMALL_BYTES) }
      })
    )
    return answer({ data: new Uint8Array(paths.length * SMALL_BYTES), files })
  }
})

describe('content over a link on which every answer takes its time', () => {
  for (const mib of [9, 64, 200]) {
    it(`${mib} MiB in one file wait for as many round trips as 8 MiB on the way need, and three`, async () => {
      const link = new FarLink()
      let most = 0
      let ahead = 0
      const stage = farStage(link, bytes => {
        ahead += bytes
        most = Math.max(most, ahead)
      })
      const path = rel('file')
      const sizeBytes = mib * MIB
      const onBytes = (bytes: number): void => {
        ahead -= bytes
      }
      await link.serve(transferLarge({ from: zeros(sizeBytes), path, sizeBytes, to: stage, stagedAs: path, onBytes }))
      assert.ok(link.roundTrips <= Math.ceil(mib / 8) + 3, `${link.roundTrips} round trips`)
      assert.ok(most >= 8 * MIB && most <= 10 * MIB, `${most} bytes ahead`)
    })
  }

  for (const [where, trips] of [
    ['to the other end', 3],
    ['from the other end', 3]
  ] as const) {
    it(`6,000 small files ${where} wait for a handful of round trips, not for one each`, async () => {
      const link = new FarLink()
      const here = new FarLink()
      const to = where === 'to the other end'
      const at = <T>(value: T): Promise<T> => (to ? Promise.resolve(value) : link.crossed(value))
      const stage = farStage(to ? link : here, () => {})
      const files = Array.from({ length: 6_000 }, (_, i) => ({ path: rel(`f${i}`), sizeBytes: SMALL_BYTES }))
      let arrived = 0
      const work = (async () => {
        for await (const some of transferSmall({ from: packs(at), to: stage, files })) arrived += some.length
      })()
      await (to ? link.serve(work) : Promise.all([link.serve(work), here.serve(work)]))
      assert.equal(arrived, files.length)
      assert.ok(link.roundTrips <= trips, `${link.roundTrips} round trips`)
    })
  }
})
