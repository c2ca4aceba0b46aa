import assert from 'node:assert/strict'
import { blocksInOrder, blocksToWire } from '../../../protocols/replica/blocks.js'
import { BLOCK_HASH_BYTES, hashBytes, MIN_BLOCK_AVERAGE } from '../../../storage/content/index.js'
import { MAX_BLOCKS } from '../../../sync/endpoints/index.js'

const AVERAGE = MIN_BLOCK_AVERAGE
const SHORTEST = AVERAGE / 4
const stat = {
  ...{ kind: 'file' as const, sizeBytes: 0, mtimeNs: 1n, ctimeNs: 1n, birthNs: 0n, device: 1n, inode: 1n },
  ...{ mount: 0n, mode: 0o644, links: 1, uid: 0, gid: 0, allocatedBytes: 1 }
}

interface Part {
  readonly value: Parameters<typeof blocksInOrder>[0] extends AsyncIterable<infer P>
    ? (P & { value: unknown })['value']
    : never
  readonly data: Uint8Array<ArrayBuffer>
}

function blocks(lengths: readonly number[], change: { count?: number; cutBytes?: number } = {}): Part {
  const hashes = new Uint8Array(lengths.length * BLOCK_HASH_BYTES).fill(7)
  const { values, data = [] } = blocksToWire({ kind: 'blocks', lengths: Uint32Array.from(lengths), hashes })
  const whole = new Uint8Array(Buffer.concat(data))
  return {
    value: { ...values, ...(change.count !== undefined && { count: change.count }) } as Part['value'],
    data: whole.slice(0, whole.length - (change.cutBytes ?? 0))
  }
}

const done = (sizeBytes: number): Part => ({
  value: { kind: 'done', stat: { ...stat, sizeBytes }, hash: hashBytes(new Uint8Array(0)) },
  data: new Uint8Array(0)
})

async function lengthsOf(parts: Iterable<Part>, fromBytes?: number): Promise<number[]> {
  const lengths: number[] = []
  const all = (async function* () {
    yield* parts
  })()
  for await (const piece of blocksInOrder(all, { averageBytes: AVERAGE, fromBytes }))
    if (piece.kind === 'blocks') lengths.push(...piece.lengths)
  return lengths
}

describe('a list of blocks from another device', () => {
  it('comes as it was sent', async () => {
    const lengths = [SHORTEST, 4 * AVERAGE, AVERAGE, 1]
    const total = lengths.reduce((a, b) => a + b)
    assert.deepEqual(await lengthsOf([blocks(lengths.slice(0, 2)), blocks(lengths.slice(2)), done(total)]), lengths)
    assert.deepEqual(await lengthsOf([done(0)]), [])
  })

  it('that begins within a file ends with it, and needs no hash of the whole', async () => {
    const { hash: _, ...value } = done(AVERAGE + 1).value as Part['value'] & { kind: 'done' }
    const end = { ...done(0), value }
    assert.deepEqual(await lengthsOf([blocks([AVERAGE]), end], 1), [AVERAGE])
    assert.deepEqual(await lengthsOf([end], AVERAGE + 1), [])
    await assert.rejects(lengthsOf([blocks([AVERAGE]), end], 2), { code: 'MALFORMED' })
    await assert.rejects(lengthsOf([blocks([AVERAGE, 1]), end]), { code: 'MALFORMED' })
  })

  for (const [name, parts] of [
    ['without an end', [blocks([AVERAGE])]],
    ['that goes on behind its end', [blocks([AVERAGE]), done(AVERAGE), done(AVERAGE)]],
    ['of another file than its end tells of', [blocks([AVERAGE]), done(AVERAGE + 1)]],
    ['with an empty block', [blocks([0]), done(0)]],
    ['with a block that is too long', [blocks([4 * AVERAGE + 1]), done(4 * AVERAGE + 1)]],
    ['with a short block that is not the last', [blocks([SHORTEST - 1, AVERAGE]), done(SHORTEST - 1 + AVERAGE)]],
    ['with one in another part', [blocks([SHORTEST - 1]), blocks([AVERAGE]), done(SHORTEST - 1 + AVERAGE)]],
    ['that is cut off', [blocks([AVERAGE], { cutBytes: 1 }), done(AVERAGE)]],
    ['that counts wrong', [blocks([AVERAGE], { count: 2 }), done(AVERAGE)]]
  ] as const) {
    it(`one ${name} is refused`, () => assert.rejects(lengthsOf(parts), { code: 'MALFORMED' }))
  }

  it('one that never ends is refused, at the limit and not before', async () => {
    const page = new Array<number>(1024).fill(AVERAGE)
    const pages = MAX_BLOCKS / page.length
    function* list(more: readonly number[]): Generator<Part> {
      for (let i = 0; i < pages; i++) yield blocks(page)
      if (more.length > 0) yield blocks(more)
      yield done((MAX_BLOCKS + more.length) * AVERAGE)
    }
    assert.equal((await lengthsOf(list([]))).length, MAX_BLOCKS)
    await assert.rejects(lengthsOf(list([AVERAGE])), { code: 'MALFORMED' })
  })
})
