import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs'
import fc from 'fast-check'
import { tempDir } from '../../temp.js'
import { below, devicePair, type Pair, prepare } from './devices.js'
import { content, look, plant, treeOf } from './trees.js'

const MIB = 2 ** 20

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

  it('large files, several at once', async () => {
    const root = below(temp.path, 'big')
    mkdirSync(root)
    for (let i = 0; i < 6; i++) writeFileSync(below(root, `f${i}`), content(3_000_000 + i * 700_001, i))
    const { send, receive } = await prepare(pair, [root], below(temp.path, 'in'))
    await Promise.all([pair.receiver.transfers.receive(receive), pair.sender.transfers.send(send)])
    assert.deepEqual(look(below(temp.path, 'in/big')), look(root))
  })

  it('a sparse file of 1 GiB with 1 MiB in it costs little on the wire and on the disk, and is the same', async () => {
    const [source, target] = [below(temp.path, 'sparse'), below(temp.path, 'in/sparse')]
    const [size, at, data] = [1024 * MIB, 300 * MIB + 12_345, content(MIB, 7)]
    const fd = openSync(source, 'w')
    ftruncateSync(fd, size)
    writeSync(fd, data, 0, data.length, at)
    closeSync(fd)
    const { send, receive } = await prepare(pair, [source], below(temp.path, 'in'))
    const [got, sent] = await Promise.all([pair.receiver.transfers.receive(receive), pair.sender.transfers.send(send)])
    assert.equal(got.bytes, size)
    // What holds the data is two chunks, and a chunk of zeros takes under 100 bytes.
    assert.ok(sent.bytesOnWire < 2.2 * MIB, `${sent.bytesOnWire} bytes on the wire`)
    const { blocks, size: arrived } = statSync(target)
    assert.equal(arrived, size)
    assert.ok(blocks * 512 < 3 * MIB, `${blocks} blocks of 512 bytes`)
    // What is not on the disk is zeros; the rest lies here.
    execFileSync('cmp', ['--ignore-initial=299MiB', '--bytes=4MiB', source, target])
  })
})
