import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { SpacedriveError } from '../../../storage/base/index.js'
import { READ_PIECE_BYTES } from '../../../sync/endpoints/index.js'
import { far, near, openRemote, type RemoteKit } from './remote-fixture.js'
import { file, makeTree, readTree } from './trees.js'

const MIB = 2 ** 20
const LARGE_BYTES = 9 * MIB + 17
const SMALL_BYTES = 20_000
const SMALL_FILES = 300
const ALL_BYTES = LARGE_BYTES + SMALL_FILES * SMALL_BYTES

describe('copy between devices', () => {
  let remote: RemoteKit
  let n = 0
  before(async () => {
    remote = await openRemote()
  })
  after(() => remote.clean())

  function tree(): { source: ReturnType<RemoteKit['kit']['at']>; target: ReturnType<RemoteKit['kit']['at']> } {
    const [source, target] = [remote.kit.at(`${n}/from`), remote.kit.at(`${n++}/to`)]
    mkdirSync(source, { recursive: true })
    mkdirSync(target)
    writeFileSync(`${source}/large`, randomBytes(LARGE_BYTES))
    for (let i = 0; i < SMALL_FILES; i++) writeFileSync(`${source}/s${i}`, randomBytes(SMALL_BYTES))
    return { source, target }
  }

  for (const calls of [1, 4, 5, 6, 8, 11, 15]) {
    it(`cut after ${calls} calls, twice: nothing that arrived goes over again`, async () => {
      const { source, target } = tree()
      remote.cut({ calls, carriedOut: true }, { calls: calls + 1, carriedOut: true })
      remote.carried()
      const { sentBytes, info } = await remote.copy({ sources: [near(source)], destination: far(target) })
      assert.equal(info.state, 'completed')
      assert.deepEqual(readTree(`${target}/from`), readTree(source))
      // The buffer of a pack may be larger than what lies in it.
      assert.ok(remote.carried() < ALL_BYTES + SMALL_BYTES)
      assert.ok(sentBytes <= ALL_BYTES)
    })

    it(`cut after ${calls} calls on the way back: no more goes over again than was on its way`, async () => {
      const { source, target } = tree()
      remote.cut({ calls, carriedOut: false })
      remote.carried()
      const { info } = await remote.copy({ sources: [far(source)], destination: near(target) })
      assert.equal(info.state, 'completed')
      assert.deepEqual(readTree(`${target}/from`), readTree(source))
      assert.ok(remote.carried() <= ALL_BYTES + 6 * READ_PIECE_BYTES)
    })
  }

  it('a source that became another one meanwhile is copied anew, whole', async () => {
    const { source, target } = tree()
    remote.cut({ calls: 8, carriedOut: true })
    const job = await remote.remote.begin({
      ...{ operation: 'copy', sources: [near(source)], destination: far(target), into: false, overwrite: 'skip' },
      ...{ verify: false, keepTimes: true, include: [], exclude: [], keep: true }
    })
    const off = remote.kit.events.on('job:paused', () => writeFileSync(`${source}/large`, randomBytes(LARGE_BYTES)))
    await remote.kit.jobs.outcome(job)
    off()
    assert.deepEqual(readFileSync(`${target}/from/large`), readFileSync(`${source}/large`))
  })

  for (const [name, source, destination] of [
    ['to another device', near, far],
    ['from another device', far, near]
  ] as const) {
    it(`a large file that replaces another one ${name}: only the blocks that are new go over`, async () => {
      const { source: from, target } = tree()
      mkdirSync(`${target}/from`)
      const old = readFileSync(`${from}/large`)
      writeFileSync(`${target}/from/large`, old)
      writeFileSync(`${from}/large`, Buffer.concat([randomBytes(1000), old]))
      remote.carried()
      const { sentBytes, resumedBytes } = await remote.copy({
        ...{ sources: [source(from)], destination: destination(target), overwrite: 'replace' }
      })
      assert.ok(readFileSync(`${target}/from/large`).equals(readFileSync(`${from}/large`)))
      assert.ok(sentBytes < SMALL_FILES * SMALL_BYTES + MIB, `${sentBytes} bytes`)
      assert.ok(remote.carried() < SMALL_FILES * SMALL_BYTES + 2 * MIB)
      assert.equal(resumedBytes, 0)
    })
  }

  it('copies get the time of the beginning where theirs is not kept', async () => {
    const { source, target } = tree()
    utimesSync(`${source}/s1`, 1_000, 1_000)
    const began = Date.now()
    await remote.copy({ sources: [near(source)], destination: far(target), keepTimes: false })
    assert.ok(statSync(`${target}/from/s1`).mtimeMs >= began - 1)
  })

  it('a move whose answer is lost: what was written to a source as it went is not thrown away by the next try', async () => {
    const { source, target } = tree()
    const fd = openSync(`${source}/s1`, 'a')
    let cuts = 0
    remote.lie((call, _, [steps]) => {
      const s1 = (steps as { kind: string; path: string }[]).find?.(s => s.kind === 'remove' && s.path === 'from/s1')
      if (call !== 'place' || s1 === undefined || cuts++ > 0) return undefined
      writeSync(fd, 'and more')
      throw new SpacedriveError('DEVICE_AWAY', 'far was disconnected')
    })
    const { info } = await remote.copy({ operation: 'move', sources: [far(source)], destination: near(target) })
    remote.lie()
    closeSync(fd)
    assert.deepEqual([info.state, cuts], ['completed', 1])
    // It is another one than was copied, so it stays.
    assert.match(readFileSync(`${source}/s1`, 'latin1'), /and more$/)
    assert.deepEqual(readdirSync(source), ['s1'])
    assert.equal(readdirSync(`${target}/from`).length, SMALL_FILES + 1)
  })

  it('names of one file become files of their own, and the result says so', async () => {
    const source = remote.kit.at(`${n}/from`)
    makeTree(source, { a: file('one') })
    const { linkSync } = await import('node:fs')
    linkSync(`${source}/a`, `${source}/b`)
    const { notes } = await remote.copy({ sources: [near(source)], destination: far(remote.kit.at(`${n++}/copy`)) })
    assert.match(notes.join(), /Files with several names/)
  })

  it('connections that break before anything came over, again and again, end the copy in words', async () => {
    const { source, target } = tree()
    remote.cut(...Array.from({ length: 20 }, () => ({ calls: 1, carriedOut: false, code: 'UNREACHABLE' as const })))
    await assert.rejects(remote.copy({ sources: [near(source)], destination: far(target) }), {
      code: 'UNREACHABLE',
      message: /broke 6 times in a row/
    })
  })
})
