import assert from 'node:assert/strict'
import type { EntryStat, HandedOver, StagedFileWriter } from '../../../storage/files/index.js'
import { transferLarge, transferSmall } from '../../../sync/delta/index.js'
import { type Endpoint, type EndpointStage, givePlace, PLACE_BYTES, takePlace } from '../../../sync/endpoints/index.js'
import { rel } from '../endpoints/gather.js'

const MIB = 2 ** 20
const PIECES = 8
const HASH = new Uint8Array(32)

const stat: EntryStat = {
  ...{ kind: 'file', sizeBytes: PIECES * MIB, mtimeNs: 1n, ctimeNs: 1n, birthNs: 1n, device: 1n, inode: 1n, mount: 1n },
  ...{ mode: 0o644, links: 1, uid: 0 }
}

/** Memory from which content was handed over to a staging place that answers when all of it has come. */
class Taking {
  readonly lay = new Set<ArrayBufferLike>()
  readonly #calls: number
  #called = 0
  #answer = (): void => {}
  readonly #answered = new Promise<void>(resolve => {
    this.#answer = resolve
  })

  constructor(calls: number) {
    this.#calls = calls
  }

  async take(bytes: Uint8Array, { onTaken }: HandedOver): Promise<void> {
    this.lay.add(bytes.buffer)
    onTaken?.()
    if (++this.#called === this.#calls) this.#answer()
    await this.#answered
  }
}

const never = (): never => assert.fail('nobody asks for that')

describe('memory of content that another device was sent', () => {
  it('pieces of a large file: used for the next one before there is an answer', async () => {
    const taking = new Taking(PIECES)
    const from: Pick<Endpoint, 'read' | 'blocks' | 'hashStart'> = {
      async *read() {
        yield { kind: 'opened', stat }
        for (let i = 0; i < PIECES; i++)
          yield { kind: 'data', atBytes: i * MIB, bytes: new Uint8Array(takePlace(), 0, MIB) }
        yield { kind: 'done', stat }
      },
      ...{ blocks: never, hashStart: never }
    }
    const to: Pick<EndpointStage, 'openFile'> = {
      async openFile(path, { sizeBytes }) {
        return {
          ...{ path, sizeBytes, positionBytes: 0 },
          ...{ prefixHash: never, appendHole: never, appendStretch: never, appendBlocks: never, restart: never },
          append: (bytes, options = {}) => taking.take(bytes, options),
          finish: async ({ hash }) => ({ hash: hash! }),
          close: async () => {}
        } satisfies StagedFileWriter
      }
    }
    const path = rel('large')
    let sentBytes = 0
    const onBytes = (bytes: number): void => {
      sentBytes += bytes
    }
    await transferLarge({ from, to, path, stagedAs: path, sizeBytes: PIECES * MIB, onBytes })
    assert.equal(sentBytes, PIECES * MIB)
    assert.equal(taking.lay.size, 1)
    assertFreeOnce(taking.lay)
  })

  it('packs of small files: the same', async () => {
    const [packs, aPack] = [4, 512]
    const taking = new Taking(packs)
    const from: Pick<Endpoint, 'readPack'> = {
      async readPack(paths, { into } = {}) {
        const file = { offset: 0, length: 1, hash: `${'0'.repeat(64)}` as never, stat: { ...stat, sizeBytes: 1 } }
        return { data: new Uint8Array(into!, 0, 1), files: paths.map(path => ({ path, ...file })) }
      }
    }
    const to: Pick<EndpointStage, 'write'> = {
      async write(_, data, options = {}) {
        await taking.take(data, options)
        return { hashes: new Uint8Array(aPack * HASH.length), problems: [] }
      }
    }
    const files = Array.from({ length: packs * aPack }, (_, i) => ({ path: rel(`f${i}`), sizeBytes: 1 }))
    let arrived = 0
    for await (const some of transferSmall({ from, to, files })) arrived += some.length
    assert.equal(arrived, files.length)
    assert.ok(taking.lay.size < packs, `${taking.lay.size} places of ${PLACE_BYTES} bytes for ${packs} packs`)
    assertFreeOnce(taking.lay)
  })
})

/** Given back, and not twice: else two would write into one. */
function assertFreeOnce(places: Set<ArrayBufferLike>): void {
  const free = Array.from({ length: 40 }, takePlace)
  assert.equal(new Set(free).size, free.length)
  for (const place of places) assert.ok(free.includes(place as SharedArrayBuffer))
  for (const place of free) givePlace(place)
}
