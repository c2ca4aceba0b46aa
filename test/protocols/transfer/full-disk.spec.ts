import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { transferWrites } from '../../../protocols/transfer/rows.worker.js'
import { canMount, mountImage, type TestImage } from '../../mounts.js'
import { tempDir } from '../../temp.js'
import { below, devicePair, type Pair, prepare } from './devices.js'
import { content, look } from './trees.js'

canMount('a receiver whose disk is full', () => {
  let pair: Pair
  let temp: ReturnType<typeof tempDir>
  let image: TestImage
  before(async () => {
    pair = await devicePair({ timings: { minRetryMs: 1, maxRetryMs: 20 } })
  })
  after(() => pair.stop())
  beforeEach(() => {
    temp = tempDir()
    mkdirSync(below(temp.path, 'in'))
    image = mountImage('tmpfs', 1024)
    image.mount(below(temp.path, 'in'))
  })
  afterEach(() => {
    image.clean()
    temp.clean()
  })

  it('is told before anything is sent, and again when it fills up on the way; then it goes on', async () => {
    mkdirSync(below(temp.path, 't'))
    for (let i = 0; i < 4; i++) writeFileSync(below(temp.path, `t/f${i}`), content(8_000_000, i * 3 + 1))
    const { send, receive } = await prepare(pair, [below(temp.path, 't')], below(temp.path, 'in'))
    const ballast = below(temp.path, 'in/ballast')
    writeFileSync(ballast, Buffer.alloc(500 * 2 ** 20))
    await assert.rejects(pair.receiver.transfers.receive(receive), { code: 'NO_SPACE' })
    assert.deepEqual(readdirSync(below(temp.path, 'in')), ['ballast'])
    rmSync(ballast)
    const full = Promise.allSettled([
      pair.receiver.transfers.receive(receive, {
        // The disk fills up by somebody else's doing once it has begun.
        onProgress: p => {
          if (p.phase === 'transferring') fill()
        }
      }),
      pair.sender.transfers.send(send)
    ])
    let filled = false
    const fill = (): void => {
      if (filled) return
      filled = true
      try {
        writeFileSync(ballast, Buffer.alloc(1024 * 2 ** 20))
      } catch {}
    }
    const [got, sent] = await full
    assert.equal((got as PromiseRejectedResult).reason.code, 'NO_SPACE')
    assert.equal((sent as PromiseRejectedResult).reason.code, 'NO_SPACE')
    rmSync(ballast)
    await Promise.all([pair.receiver.transfers.receive(receive), pair.sender.transfers.send(send)])
    assert.deepEqual(look(below(temp.path, 'in/t')), look(below(temp.path, 't')))
  })

  it('when everything has come already it gets its names, or has them: what is full by then is no matter', async () => {
    mkdirSync(below(temp.path, 't'))
    writeFileSync(below(temp.path, 't/photo'), content(8_000_000, 1))
    const { send, receive } = await prepare(pair, [below(temp.path, 't')], below(temp.path, 'in'))
    const { instance: database } = pair.receiver.peer
    const write = database.write
    const pause = new AbortController()
    const reason = new Error('killed')
    database.write = (task, ...rest) => {
      if ((task as unknown) !== transferWrites.end) return write(task, ...rest)
      pause.abort(reason)
      return Promise.reject(reason)
    }
    const sending = pair.sender.transfers.send(send)
    await assert.rejects(pair.receiver.transfers.receive(receive, { signal: pause.signal }), reason)
    database.write = write
    writeFileSync(below(temp.path, 'in/ballast'), Buffer.alloc(600 * 2 ** 20))
    const [got] = await Promise.all([pair.receiver.transfers.receive(receive), sending])
    assert.deepEqual(got.placed, [{ name: 't', path: below(temp.path, 'in/t') }])
    assert.deepEqual(look(below(temp.path, 'in/t')), look(below(temp.path, 't')))
  })
})
