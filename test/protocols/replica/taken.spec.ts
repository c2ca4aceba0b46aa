import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hashBytes } from '../../../storage/content/index.js'
import { rel } from '../../sync/endpoints/gather.js'
import { type ReplicaPair, remoteFolder, replicaPair } from './fixture.js'

const [MIB, PIECES] = [2 ** 20, 4]
const PIECE_BYTES = 2.5 * MIB
const PATH = rel('file')

describe('content that is handed over to another device', () => {
  let pair: ReplicaPair
  before(async () => {
    pair = await replicaPair()
  })
  after(() => pair.stop())

  it('is its own again before the answer, and arrives whole when it is written over then', async () => {
    const folder = await remoteFolder(pair)
    const remote = await folder.open()
    const stage = await remote.openStage(randomUUID())
    const content = randomBytes(PIECES * PIECE_BYTES)
    const told: string[] = []
    /** Content, and what says when nobody looks at it any more. */
    const handed = (of: Uint8Array, name: string) => {
      const bytes = new Uint8Array(new SharedArrayBuffer(of.length))
      bytes.set(of)
      const onTaken = (): void => {
        told.push(`${name} taken`)
        bytes.fill(0)
      }
      return { bytes, onTaken, written: () => void told.push(`${name} written`) }
    }

    const writer = await stage.openFile(rel('large'), { sizeBytes: content.length })
    await Promise.all(
      Array.from({ length: PIECES }, async (_, i) => {
        const of = content.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES)
        const { bytes, onTaken, written } = handed(of, `piece ${i}`)
        await writer.append(bytes, { onTaken })
        written()
      })
    )
    assert.deepEqual(
      told.filter(one => one.endsWith('taken')),
      ['piece 0 taken', 'piece 1 taken', 'piece 2 taken', 'piece 3 taken']
    )
    assert.ok(told.indexOf('piece 1 taken') < told.indexOf('piece 0 written'), told.join(', '))
    await writer.finish({ hash: hashBytes(content) })
    await remote.place([{ kind: 'create', path: PATH, from: { staging: stage.id, path: rel('large') } }])
    assert.ok(readFileSync(`${folder.root}/${PATH}`).equals(content))

    told.length = 0
    const small = content.subarray(0, 1000)
    const { bytes, onTaken, written } = handed(small, 'pack')
    const hash = hashBytes(small)
    const { hashes, problems } = await stage.write(
      [{ kind: 'file', path: rel('small'), offset: 0, length: small.length, hash }],
      bytes,
      { onTaken }
    )
    written()
    assert.deepEqual([hashes.length, problems.length, told], [32, 0, ['pack taken', 'pack written']])
    const asked = [{ path: rel('small'), sizeBytes: small.length, hash }]
    assert.deepEqual(await stage.verify(asked), ['whole'])

    await stage.discard()
    await folder.close()
  })
})
