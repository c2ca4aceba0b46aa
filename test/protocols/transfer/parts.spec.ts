import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { appendFileSync, statSync } from 'node:fs'
import fc from 'fast-check'
import { MIN_RATE_BYTES_PER_SECOND } from '../../../protocols/transfer/limits.js'
import { Journal } from '../../../protocols/transfer/receive/journal.js'
import { NameGuard } from '../../../protocols/transfer/receive/name-guard.js'
import { parsePack } from '../../../protocols/transfer/receive/pack-table.js'
import { encodeProblems, parseProblems } from '../../../protocols/transfer/stream/problem-rows.js'
import { CHUNK, FRAME_LENGTH_BYTES, Opener, Sealer } from '../../../protocols/transfer/stream/records.js'
import { watchdog } from '../../../protocols/transfer/stream/watchdog.js'
import { DEFAULT_TIMINGS } from '../../../protocols/transfer/timings.js'
import type { Clock, RelPath } from '../../../storage/base/index.js'
import { tempDir } from '../../temp.js'
import { below } from './devices.js'

describe('parts of a transfer', () => {
  it('records open in their order and nowhere else', () => {
    const key = randomBytes(32)
    const id = randomBytes(16)
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            file: fc.nat(2 ** 32 - 1),
            offset: fc.maxSafeNat(),
            payload: fc.oneof(
              fc.uint8Array({ maxLength: 300 }),
              // More than one piece of the cipher.
              fc.integer({ min: 65_530, max: 200_000 }).map(n => new Uint8Array(randomBytes(n)))
            )
          }),
          { minLength: 2, maxLength: 6 }
        ),
        list => {
          const sealer = new Sealer(key, id)
          const frames = list.map(({ payload, ...head }) =>
            sealer
              .seal({ type: CHUNK, flags: 0, length: payload.length, ...head }, payload)
              .subarray(FRAME_LENGTH_BYTES)
          )
          const opener = new Opener(key, id)
          for (const [i, frame] of frames.entries()) {
            const { file, offset, payload } = opener.open(new Uint8Array(frame)) // it is opened in its place
            assert.deepEqual([file, offset], [list[i]!.file, list[i]!.offset])
            assert.deepEqual(new Uint8Array(payload), list[i]!.payload)
          }
          assert.throws(() => new Opener(key, id).open(frames[1]!), { code: 'MALFORMED' })
          assert.throws(() => new Opener(key, randomBytes(16)).open(frames[0]!), { code: 'MALFORMED' })
          assert.throws(() => new Opener(randomBytes(32), id).open(frames[0]!), { code: 'MALFORMED' })
        }
      ),
      { numRuns: 30 }
    )
  })

  it('a journal that a crash cut off anywhere keeps its whole rows, and takes new ones', () => {
    const temp = tempDir()
    try {
      for (let cut = 0; cut < 36; cut++) {
        const file = below(temp.path, `journal-${cut}`)
        const first = new Journal(file)
        assert.equal(first.isNew, true)
        first.begin(7)
        first.done([[3, Buffer.alloc(32, 3)]])
        first.close()
        appendFileSync(file, randomBytes(cut))
        const second = new Journal(file)
        assert.equal(second.isNew, false)
        assert.deepEqual([...second.begun], [7])
        assert.equal(second.hashOf(3), '03'.repeat(32))
        second.done([[7, Buffer.alloc(32, 9)]])
        second.close()
        assert.equal(statSync(file).size % 36, 0)
        const third = new Journal(file)
        assert.equal(third.begun.has(7), false)
        assert.equal(third.hashOf(7), '09'.repeat(32))
        assert.equal(third.hashOf(3), '03'.repeat(32))
        third.close()
      }
    } finally {
      temp.clean()
    }
  })

  it('names that a file system takes for one are found, with what lies below them', () => {
    const guard = new NameGuard()
    const found = ['A', 'A/x', 'a', 'a/x', 'a/y', 'b', '\u00e4', 'a\u0308'].map(p => guard.collides(p as RelPath))
    assert.deepEqual(found, [false, false, true, true, true, false, false, true])
  })

  it('problems travel as they are, and any other bytes are refused or taken, never anything else', () => {
    const rows = [
      { file: 1, code: 'CHANGED' },
      { file: 2 ** 32 - 1, code: 'NAME_TOO_LONG' }
    ]
    assert.deepEqual(parseProblems({ payload: encodeProblems(rows), file: 2 }), rows)
    assert.throws(() => parseProblems({ payload: encodeProblems(rows), file: 3 }), { code: 'MALFORMED' })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(3), (payload, file) => {
        for (const parse of [() => parseProblems({ payload, file }), () => parsePack(payload, file)]) {
          try {
            parse()
          } catch (err) {
            assert.equal((err as { code?: string }).code, 'MALFORMED')
          }
        }
      })
    )
  })

  it('deadlines: silence, the minimum rate at its edge, and the excuse of who hashes', () => {
    let now = 0
    let pending: (() => void) | undefined
    const clock = {
      monotonicMs: () => now,
      timer(fn: () => void) {
        pending = fn
        return {
          clear() {
            pending = undefined
          }
        }
      }
    } as unknown as Clock
    const timings = { ...DEFAULT_TIMINGS, idleMs: 1e9, busyMs: 10_000 }
    const run = (bytesPerSecond: number, excuseMs = 0): { quiet: number; expired: boolean } => {
      now = 0
      let quiet = 0
      let expired = false
      const dog = watchdog({
        ...{ clock, timings },
        onQuiet: () => quiet++,
        onExpired: () => {
          expired = true
        },
        movedBytes: () => (now * bytesPerSecond) / 1000,
        wire: { bytesIn: 0, bytesOut: 0 }
      })
      dog.excuse(excuseMs)
      while (now < 130_000 && !expired) {
        now += 2_500
        pending?.()
      }
      dog.stop()
      return { quiet, expired }
    }
    assert.deepEqual(run(MIN_RATE_BYTES_PER_SECOND), { quiet: 13, expired: false })
    assert.equal(run(MIN_RATE_BYTES_PER_SECOND - 3).expired, true)
    assert.equal(run(0, 80_000).expired, false)
    now = 0
    let reason: Error | undefined
    const dog = watchdog({
      ...{ clock, timings: DEFAULT_TIMINGS },
      onQuiet() {},
      onExpired: err => {
        reason = err
      },
      movedBytes: () => undefined,
      wire: { bytesIn: 0, bytesOut: 0 }
    })
    now = 29_999
    pending?.()
    assert.equal(reason, undefined)
    now = 30_000
    pending?.()
    assert.equal((reason as { code?: string } | undefined)?.code, 'TIMEOUT')
    dog.stop()
  })
})
