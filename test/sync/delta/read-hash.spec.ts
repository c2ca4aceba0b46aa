import assert from 'node:assert/strict'
import { type ContentHash, SpacedriveError } from '../../../storage/base/index.js'
import { createHasher, hashBytes } from '../../../storage/content/index.js'
import type { EntryStat } from '../../../storage/files/index.js'
import { transferLarge } from '../../../sync/delta/index.js'
import type {
  Endpoint,
  EndpointStage,
  ReadOptions,
  ReadPiece,
  StagedFileWriter
} from '../../../sync/endpoints/index.js'
import { rel } from '../endpoints/gather.js'

const HOLE_BYTES = 300_000
const content = Buffer.alloc(700_000, 'content')
const whole = Buffer.concat([content, Buffer.alloc(HOLE_BYTES), content])
const sizeBytes = whole.length
const stat: EntryStat = {
  ...{ kind: 'file', sizeBytes, mtimeNs: 1n, ctimeNs: 1n, birthNs: 1n, device: 1n, inode: 1n, mount: 1n },
  ...{ mode: 0o644, links: 1, uid: 0 }
}

interface Source extends Pick<Endpoint, 'read' | 'blocks' | 'hashStart'> {
  readonly asked: ReadOptions[]
  starts: number
}

/** @param says - what it says of the hash when it is asked for it */
function source(says: { hashed?: true; hash?: ContentHash }): Source {
  return {
    asked: [],
    starts: 0,
    async *read(_, options = {}): AsyncGenerator<ReadPiece> {
      this.asked.push(options)
      const told = options.hashed === true ? says : {}
      yield { kind: 'opened', stat, ...(told.hashed && { hashed: true }) }
      yield { kind: 'data', atBytes: 0, bytes: content }
      yield { kind: 'hole', atBytes: content.length, lengthBytes: HOLE_BYTES }
      yield { kind: 'data', atBytes: content.length + HOLE_BYTES, bytes: content }
      yield { kind: 'done', stat, ...(told.hash && { hash: told.hash }) }
    },
    async hashStart(_, lengthBytes) {
      this.starts++
      return { hash: hashBytes(whole.subarray(0, lengthBytes)), stat }
    },
    blocks: () => assert.fail('nothing is there to compare with')
  }
}

/** A staging place that hashes what it is given, as all of them do. */
function stage(): Pick<EndpointStage, 'openFile'> & { finished: boolean } {
  const made = {
    finished: false,
    async openFile(path: StagedFileWriter['path']): Promise<StagedFileWriter> {
      const hasher = createHasher()
      const never = (): never => assert.fail('not for a file that is new')
      return {
        ...{
          path,
          sizeBytes,
          positionBytes: 0,
          prefixHash: never,
          appendStretch: never,
          appendBlocks: never,
          restart: never
        },
        append: async bytes => void hasher.update(bytes),
        appendHole: async bytes => void hasher.update(Buffer.alloc(bytes)),
        async finish({ hash }) {
          if (hash !== hasher.digest()) throw new SpacedriveError('HASH_MISMATCH', 'it is something else')
          made.finished = true
          return { hash: hasher.digest() }
        },
        close: async () => {}
      }
    }
  }
  return made
}

describe('the hash of a file that is brought', () => {
  const [path, right] = [rel('file'), hashBytes(whole)]

  for (const [who, says, starts] of [
    ['is made by the end that reads it', { hashed: true, hash: right }, 0],
    ['is made here where that end does not', {}, 0],
    ['is asked for where that end promised it and did not tell it', { hashed: true }, 1]
  ] as const) {
    it(who, async () => {
      const [from, to] = [source(says), stage()]
      const { hash } = await transferLarge({ from, path, sizeBytes, to, stagedAs: path })
      assert.equal(hash, right)
      assert.ok(to.finished)
      assert.equal(from.starts, starts)
    })
  }

  it('that is no hash of what came is believed by nobody', async () => {
    const [from, to] = [source({ hashed: true, hash: hashBytes(content) }), stage()]
    await assert.rejects(transferLarge({ from, path, sizeBytes, to, stagedAs: path }), {
      code: 'CHANGED_WHILE_READING'
    })
    assert.ok(!to.finished)
  })

  it('that is known is not made once more where it is read, and what is otherwise does not count', async () => {
    const [from, to] = [source({ hashed: true, hash: right }), stage()]
    assert.equal((await transferLarge({ from, path, sizeBytes, hash: right, to, stagedAs: path })).hash, right)
    const other = stage()
    const asked = { from, path, sizeBytes, hash: hashBytes(content), to: other, stagedAs: path }
    await assert.rejects(transferLarge(asked), { code: 'CHANGED_WHILE_READING' })
    assert.ok(!other.finished)
    assert.deepEqual(
      from.asked.map(({ hashed }) => hashed),
      [false, false]
    )
  })
})
