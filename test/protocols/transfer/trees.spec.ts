import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { tempDir } from '../../temp.js'
import { below, devicePair, type Pair, prepare } from './devices.js'
import { content, look, plant, treeOf } from './trees.js'

describe('a transfer between two devices', () => {
  let pair: Pair
  let temp: ReturnType<typeof tempDir>
  before(async () => {
    pair = await devicePair()
  })
  after(() => pair.stop())
  beforeEach(() => {
    temp = tempDir()
    mkdirSync(below(temp.path, 'in'))
  })
  afterEach(() => {
    execFileSync('chmod', ['-R', 'u+rwx', temp.path])
    temp.clean()
  })

  it('one file', async () => {
    writeFileSync(below(temp.path, 'a.txt'), 'hello')
    const { send, receive } = await prepare(pair, [below(temp.path, 'a.txt')], below(temp.path, 'in'))
    const [got, sent] = await Promise.all([pair.receiver.transfers.receive(receive), pair.sender.transfers.send(send)])
    assert.equal(sent.files, 1)
    assert.equal(got.bytes, 5)
    assert.deepEqual(got.placed, [{ name: 'a.txt', path: below(temp.path, 'in/a.txt') }])
    assert.deepEqual(look(below(temp.path, 'in/a.txt')), look(below(temp.path, 'a.txt')))
    assert.deepEqual(readdirSync(below(temp.path, 'in')), ['a.txt'])
  })

  it('random trees arrive identical: bytes, names, modes, times, links', async () => {
    await fc.assert(
      fc.asyncProperty(treeOf(3_000_000), async tree => {
        const dir = tempDir()
        try {
          const root = below(dir.path, 'tree')
          plant(root, tree)
          mkdirSync(below(dir.path, 'in'))
          const { send, receive } = await prepare(pair, [root], below(dir.path, 'in'))
          const [got, sent] = await Promise.all([
            pair.receiver.transfers.receive(receive),
            pair.sender.transfers.send(send)
          ])
          assert.deepEqual(got.problems, [])
          assert.deepEqual(sent.problems, [])
          assert.deepEqual(look(below(dir.path, 'in/tree')), look(root))
          assert.deepEqual(readdirSync(below(dir.path, 'in')), ['tree'])
        } finally {
          execFileSync('chmod', ['-R', 'u+rwx', dir.path])
          dir.clean()
        }
      }),
      { numRuns: 25 }
    )
  })

  it('large files, several at once, and a sparse one', async () => {
    const root = below(temp.path, 'big')
    mkdirSync(root)
    for (let i = 0; i < 6; i++) writeFileSync(below(root, `f${i}`), content(3_000_000 + i * 700_001, i))
    const { send, receive } = await prepare(pair, [root], below(temp.path, 'in'))
    await Promise.all([pair.receiver.transfers.receive(receive), pair.sender.transfers.send(send)])
    assert.deepEqual(look(below(temp.path, 'in/big')), look(root))
  })
})
