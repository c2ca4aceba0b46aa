import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hashBytes } from '../../../storage/content/index.js'
import type { ReadPack, ReadPiece, TreePage } from '../../../sync/endpoints/index.js'
import { far, type Lie, near, openRemote, type RemoteKit } from './remote-fixture.js'

const MIB = 2 ** 20

describe('copy from a device that lies', () => {
  let remote: RemoteKit
  let n = 0
  before(async () => {
    remote = await openRemote()
  })
  afterEach(() => remote.lie())
  after(() => remote.clean())

  /** Copies a small and a large file and another one of each, that nothing is told of but what is true. */
  async function copied(lie: Lie) {
    const [source, target] = [remote.kit.at(`${n}/from`), remote.kit.at(`${n++}/to`)]
    mkdirSync(source, { recursive: true })
    mkdirSync(target)
    for (const name of ['small', 'fine-small']) writeFileSync(`${source}/${name}`, randomBytes(5_000))
    for (const name of ['large', 'fine-large']) writeFileSync(`${source}/${name}`, randomBytes(3 * MIB))
    remote.lie(lie)
    const { info } = await remote.copy({ sources: [far(source)], destination: near(target) })
    remote.lie()
    for (const name of ['fine-small', 'fine-large'])
      assert.deepEqual(readFileSync(`${target}/from/${name}`), readFileSync(`${source}/${name}`))
    // Nothing is left of what was staged and refused.
    assert.deepEqual(
      readdirSync(target).filter(name => name !== 'from'),
      []
    )
    const problems = info.problemList.map(p => [p.path, p.code])
    const there = ['small', 'large'].filter(name => existsSync(`${target}/from/${name}`))
    return { state: info.state, problems, there }
  }

  it('content that is not what was hashed gets no name', async () => {
    const { problems, there } = await copied((call, answer) => {
      if (call === 'readPack') {
        const { files, data } = answer as ReadPack
        const other = hashBytes(Buffer.from('another'))
        return { data, files: files.map(f => (f.path.endsWith('from/small') ? { ...f, hash: other } : f)) }
      }
      return undefined
    })
    assert.deepEqual(there, ['large'])
    assert.deepEqual(problems, [['from/small', 'HASH_MISMATCH']])
  })

  it('a large file that is another one after it was read gets no name', async () => {
    const { problems, there } = await copied((call, answer, [path]) => {
      const piece = answer as ReadPiece
      if (call !== 'read' || path !== 'from/large' || piece.kind !== 'done') return undefined
      return { ...piece, stat: { ...piece.stat, mtimeNs: piece.stat.mtimeNs + 1n } }
    })
    assert.deepEqual(there, ['small'])
    assert.deepEqual(problems, [['from/large', 'CHANGED_WHILE_READING']])
  })

  for (const [what, sizeBytes] of [
    ['smaller', 10],
    ['larger', 4 * MIB]
  ] as const) {
    it(`a file that is told to be ${what} than it is gets no name, or its whole content`, async () => {
      const { problems, there } = await copied((call, answer) => {
        if (call !== 'walk') return undefined
        const { entries } = answer as TreePage
        return {
          entries: entries.map(e => (e.path === 'from/large' ? { ...e, stat: { ...e.stat, sizeBytes } } : e))
        }
      })
      assert.deepEqual(there, ['small'])
      assert.deepEqual(problems, [['from/large', 'CHANGED_WHILE_READING']])
    })
  }
})
