import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tempDir } from '../../temp.js'
import { below, devicePair, type Pair, type Prepared, prepare } from './devices.js'
import { content } from './trees.js'

describe('a file that came in part before a power loss, and cannot be had any more', () => {
  let pair: Pair
  let temp: ReturnType<typeof tempDir>
  let prepared: Prepared
  before(async () => {
    pair = await devicePair({ timings: { minRetryMs: 1, maxRetryMs: 20 } })
  })
  after(() => pair.stop())
  beforeEach(async () => {
    temp = tempDir()
    mkdirSync(below(temp.path, 'in'))
    mkdirSync(below(temp.path, 't/deep'), { recursive: true })
    writeFileSync(below(temp.path, 't/deep/photo'), content(9_000, 1))
    writeFileSync(below(temp.path, 't/deep/whole'), content(9_000, 2))
    writeFileSync(below(temp.path, 't/large'), content(30_000_000, 3))
    prepared = await prepare(pair, [below(temp.path, 't')], below(temp.path, 'in'))
  })
  afterEach(() => temp.clean())

  /** Until the small files are there and the large one is not. */
  async function cutShort(): Promise<void> {
    const pause = new AbortController()
    const reason = new Error('the power went')
    const onProgress = ({ doneFiles = 0 }): void => {
      if (doneFiles >= 2) pause.abort(reason)
    }
    const sending = new AbortController()
    const sent = pair.sender.transfers.send(prepared.send, { signal: sending.signal })
    const outcomes = Promise.allSettled([sent])
    await assert.rejects(
      pair.receiver.transfers.receive(prepared.receive, { signal: pause.signal, onProgress }),
      reason
    )
    sending.abort(reason)
    await outcomes
  }

  for (const [what, forget] of [
    ['a small one that was whole before it', 'nothing'],
    ['one that nothing says has begun', 'the journal']
  ] as const) {
    it(`${what} gets no name: half of it would have that of the whole`, async () => {
      await cutShort()
      const [place] = readdirSync(below(temp.path, 'in'))
      truncateSync(below(temp.path, `in/${place}/tree/t/deep/photo`), 4_096)
      if (forget === 'the journal')
        execFileSync('truncate', ['-s', '0', below(pair.receiver.peer.dir, `transfers/${prepared.id}.journal`)])
      rmSync(below(temp.path, 't/deep/photo'))
      const [got] = await Promise.all([
        pair.receiver.transfers.receive(prepared.receive),
        pair.sender.transfers.send(prepared.send)
      ])
      assert.deepEqual(
        got.problems.map(p => [p.path, p.code]),
        [['t/deep/photo', 'MISSING']]
      )
      assert.deepEqual(readdirSync(below(temp.path, 'in/t/deep')), ['whole'])
      assert.deepEqual(readFileSync(below(temp.path, 'in/t/large')), readFileSync(below(temp.path, 't/large')))
    })
  }
})
