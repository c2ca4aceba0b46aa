import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Clock, ProgressFields } from '../../../storage/base/index.js'
import { ProgressMeter } from '../../../storage/jobs/progress.js'

/** Time that moves only when told to; timers fire on the way. */
function handClock() {
  let now = 0
  let timers: { at: number; fn: () => void }[] = []
  const clock = {
    nowMs: () => now,
    monotonicMs: () => now,
    timer(fn: () => void, ms: number) {
      const entry = { at: now + ms, fn }
      timers.push(entry)
      return {
        clear() {
          timers = timers.filter(t => t !== entry)
        }
      }
    },
    advance(ms: number) {
      const end = now + ms
      for (;;) {
        const next = timers.filter(t => t.at <= end).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        timers = timers.filter(t => t !== next)
        now = next.at
        next.fn()
      }
      now = end
    }
  }
  return clock as typeof clock & Clock
}

function meter() {
  const clock = handClock()
  const sent: { at: number; fields: ProgressFields }[] = []
  const m = new ProgressMeter(clock, fields => sent.push({ at: clock.nowMs(), fields }))
  m.open()
  return { m, clock, sent }
}

const count = fc.nat(1000)
const total = fc.option(fc.nat(2000), { nil: null })
const action = fc.oneof(
  fc.record({
    do: fc.constant('update' as const),
    doneFiles: count,
    totalFiles: total,
    doneBytes: count,
    totalBytes: total
  }),
  fc.record({ do: fc.constant('add' as const), count: fc.nat(20), total: fc.option(fc.nat(2000), { nil: undefined }) }),
  fc.record({
    do: fc.constant('child' as const),
    id: fc.constantFrom('a', 'b', 'c'),
    fields: fc.record({ doneFiles: count, totalFiles: total, doneBytes: count, totalBytes: total }),
    ended: fc.boolean()
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(300) })
)

describe('ProgressMeter', () => {
  it('within a phase done never falls, is never above its total, and the bus gets ten a second at most', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), actions => {
        const { m, clock, sent } = meter()
        m.begin('A')
        for (const a of actions) {
          if (a.do === 'update') m.update(a)
          else if (a.do === 'add') m.add(a.count, a.total)
          else if (a.do === 'child') m.child(a.id, a.fields, a.ended)
          else clock.advance(a.ms)
        }
        const last = m.fields()
        m.flush()
        for (const [i, { at, fields }] of sent.entries()) {
          const before = sent[i - 1]
          if (before !== undefined) {
            assert.ok(fields.doneFiles >= before.fields.doneFiles && fields.doneBytes >= before.fields.doneBytes)
            assert.ok(at - before.at >= 100 || i === sent.length - 1)
          }
          assert.ok(fields.totalFiles === null || fields.totalFiles >= fields.doneFiles)
          assert.ok(fields.totalBytes === null || fields.totalBytes >= fields.doneBytes)
        }
        const said = sent.at(-1)!.fields
        assert.deepEqual(
          [said.doneFiles, said.doneBytes],
          [last.doneFiles, last.doneBytes],
          'the last figures are sent'
        )
      })
    )
  })

  it('is the sum of the own figures and of those of all children, nested ones too', () => {
    const leaf = fc.record({ files: fc.nat(50), bytes: fc.nat(500) })
    fc.assert(
      fc.property(fc.array(fc.array(leaf, { maxLength: 4 }), { maxLength: 4 }), leaf, (tree, own) => {
        const parent = meter().m
        parent.begin('A')
        parent.update({ doneFiles: own.files, totalFiles: own.files, doneBytes: own.bytes, totalBytes: own.bytes })
        const expected = { files: own.files, bytes: own.bytes }
        tree.forEach((leaves, i) => {
          const child = meter().m
          child.begin('B')
          leaves.forEach((l, j) => {
            expected.files += l.files
            expected.bytes += l.bytes
            child.child(`${j}`, { doneFiles: l.files, totalFiles: l.files, doneBytes: l.bytes, totalBytes: l.bytes })
          })
          parent.child(`${i}`, child.fields(), true)
        })
        const { doneFiles, totalFiles, doneBytes, totalBytes } = parent.fields()
        assert.deepEqual(
          [doneFiles, totalFiles, doneBytes, totalBytes],
          [expected.files, expected.files, expected.bytes, expected.bytes]
        )
      })
    )
  })

  it('a child that begins another phase does not take back what it had done', () => {
    const { m } = meter()
    m.begin('A')
    m.child('a', { doneFiles: 10, totalFiles: 10, doneBytes: 0, totalBytes: null })
    m.child('a', { doneFiles: 0, totalFiles: null, doneBytes: 5, totalBytes: 100 })
    assert.equal(m.fields().doneFiles, 10)
  })

  it('rate and remaining time', () => {
    const { m, clock } = meter()
    m.begin('A')
    m.update({ doneBytes: 0, totalBytes: 10_000 })
    for (let i = 1; i <= 50; i++) {
      clock.advance(100)
      m.update({ doneBytes: i * 100 })
    }
    const { bytesPerSecond, remainingMs } = m.fields()
    assert.equal(bytesPerSecond, 1000)
    assert.equal(remainingMs, 5000)
  })

  it('a resumed phase counts on from where it was', () => {
    const { m } = meter()
    m.begin('A', { doneFiles: 7, totalFiles: 9, doneBytes: 1, totalBytes: null })
    m.add(1, undefined)
    assert.equal(m.fields().doneFiles, 8)
  })

  it('what happened last goes with the next figures, and not into the next phase', () => {
    const { m, clock, sent } = meter()
    m.begin('Copying')
    m.update({ doneFiles: 1, detail: { kind: 'file-copied', path: 'a' } })
    m.update({ doneFiles: 2, detail: { kind: 'file-copied', path: 'b' } })
    clock.advance(1000)
    assert.deepEqual(sent.at(-1)!.fields.detail, { kind: 'file-copied', path: 'b' })
    m.begin('Finishing')
    clock.advance(1000)
    assert.equal(sent.at(-1)!.fields.detail, undefined)
  })
  it('after stop nothing is sent', () => {
    const { m, clock, sent } = meter()
    m.begin('A')
    m.add(1, 2)
    m.stop()
    const before = sent.length
    m.add(1, 2)
    clock.advance(1000)
    assert.equal(sent.length, before)
  })
})
