import assert from 'node:assert/strict'
import { parseDuration, parseMoment, typedDuration } from '../../../node/operations/when.js'

const NOW = Date.parse('2026-03-01T12:00:00')

describe('times as a person says them', () => {
  for (const [text, ms] of [
    ['45s', 45_000],
    ['10min', 600_000],
    ['1.5h', 5_400_000],
    ['3d', 259_200_000],
    ['2W', 1_209_600_000]
  ] as const) {
    it(text, () => assert.equal(parseDuration(text), ms))
  }
  for (const text of ['', '3', 'd', '-1d', '1 year', '1e3s']) {
    it(`"${text}" is none`, () => {
      assert.equal(parseDuration(text), undefined)
      assert.throws(() => typedDuration(text, '--older-than'), { code: 'USAGE' })
    })
  }
  for (const [text, at] of [
    ['2h', NOW - 7_200_000],
    ['2026-02-28', Date.parse('2026-02-28T00:00:00')],
    ['2026-02-28 17:04', Date.parse('2026-02-28T17:04:00')],
    ['2026-02-28T17:04:05Z', Date.parse('2026-02-28T17:04:05Z')]
  ] as const) {
    it(`since ${text}`, () => assert.equal(parseMoment(text, '--since', NOW), at))
  }
  it('anything else is refused with an example', () => {
    for (const text of ['yesterday', '2026-13-41', '12']) {
      assert.throws(() => parseMoment(text, '--since', NOW), { code: 'USAGE' })
    }
  })
})
