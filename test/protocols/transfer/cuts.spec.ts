import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { CHUNK_BYTES, CREDIT_BYTES } from '../../../protocols/transfer/index.js'
import type { PeerSession } from '../../../protocols/wire/index.js'
import { connectPeers } from '../../peers.js'
import { tempDir } from '../../temp.js'
import { below, devicePair, type Pair, prepare, transferDevice } from './devices.js'
import { tapped } from './tap.js'
import { content, look } from './trees.js'

describe('a transfer whose connection is cut', () => {
  let pair: Pair
  let temp: ReturnType<typeof tempDir>
  let onSend = (_bytes: number, _peer: PeerSession): void => {}
  before(async () => {
    pair = await devicePair()
    await pair.sender.transfers.stop()
    const network = tapped(pair.sender.peer.network, (bytes, peer) => onSend(bytes, peer))
    const timings = { minRetryMs: 1, maxRetryMs: 5 }
    pair = { ...pair, sender: await transferDevice(pair.sender.peer, { network, timings }) }
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

  it('goes on where it was, at any byte, and sends again no more than what was on the way', async () => {
    const root = below(temp.path, 'tree')
    mkdirSync(root)
    writeFileSync(below(root, 'large'), content(12_000_001, 1))
    writeFileSync(below(root, 'sparse'), content(5_000_000, 3))
    writeFileSync(below(root, 'middle'), content(700_000, 2))
    for (let i = 0; i < 300; i++) writeFileSync(below(root, `small-${i}`), content(20 + ((i * 977) % 9000), i))
    const original = look(root)
    const total = [...original.values()].reduce((n, f) => n + f.size, 0)
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 40, max: total }), { maxLength: 4 }), async points => {
        const into = below(temp.path, 'in')
        let sent = 0
        const left = [...points].sort((a, b) => a - b)
        onSend = (bytes, peer) => {
          sent += bytes
          if (left[0] === undefined || sent < left[0]) return
          left.shift()
          peer.abort(new Error('the connection was cut'))
          queueMicrotask(() => void connectPeers(pair.sender.peer, pair.receiver.peer))
        }
        const { send, receive } = await prepare(pair, [root], into)
        const [got, done] = await Promise.all([
          pair.receiver.transfers.receive(receive),
          pair.sender.transfers.send(send)
        ])
        assert.deepEqual(got.problems, [])
        assert.equal(done.files, got.files)
        assert.deepEqual(look(below(into, 'tree')), original)
        assert.deepEqual(readdirSync(into), ['tree'])
        execFileSync('rm', ['-r', below(into, 'tree')])
        const cuts = points.length - left.length
        // A sender may be a whole credit ahead of what the receiver could take before the cut.
        assert.ok(sent < total + 100_000 + cuts * (CREDIT_BYTES + CHUNK_BYTES), `${sent} of ${total}, ${cuts} cuts`)
      }),
      { numRuns: 8 }
    )
  })

  it('a file that changed in between begins again from its first byte', async () => {
    const file = below(temp.path, 'file')
    writeFileSync(file, content(20_000_000, 1))
    let sent = 0
    let cut = false
    const into = below(temp.path, 'in')
    const { send, receive } = await prepare(pair, [file], into)
    onSend = (bytes, peer) => {
      sent += bytes
      if (cut || sent < 11_000_000) return
      cut = true
      // The same size and the same time, but other content: only hashing what is there can tell.
      execFileSync('cp', ['-p', file, `${file}.old`])
      writeFileSync(file, content(20_000_000, 4))
      execFileSync('touch', ['-r', `${file}.old`, file])
      peer.abort(new Error('the connection was cut'))
      queueMicrotask(() => void connectPeers(pair.sender.peer, pair.receiver.peer))
    }
    await Promise.all([pair.receiver.transfers.receive(receive), pair.sender.transfers.send(send)])
    assert.equal(cut, true)
    assert.equal(look(below(into, 'file')).get('')?.content, look(file).get('')?.content)
  })
})
