import assert from 'node:assert/strict'
import { formatBytes, formatDuration, formatTook, parseBytes } from '../../../node/operations/format.js'

describe('figures for people', () => {
  for (const [bytes, text] of [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '0.98 KiB'],
    [1536, '1.50 KiB'],
    [1024 * 1024 * 12.34, '12.3 MiB'],
    [2 ** 40, '1.00 TiB'],
    [2 ** 60, '1024 PiB']
  ] as const) {
    it(`${bytes} bytes are ${text}`, () => assert.equal(formatBytes(bytes), text))
  }
  for (const [ms, text] of [
    [0, '0 s'],
    [59_400, '59 s'],
    [60_000, '1 min 0 s'],
    [3_600_000, '1 h 0 min'],
    [90_000_000, '1 d 1 h']
  ] as const) {
    it(`${ms} ms are ${text}`, () => assert.equal(formatDuration(ms), text))
  }
  for (const [text, bytes] of [
    ['12', 12],
    ['1k', 1024],
    ['1.5 MiB', 1572864],
    ['2GB', 2 ** 31],
    ['', undefined],
    ['12 apples', undefined],
    ['-1', undefined],
    ['99999p', undefined]
  ] as const) {
    it(`"${text}" is ${bytes}`, () => assert.equal(parseBytes(text), bytes))
  }

  for (const [ms, text] of [
    [0, '0.00 s'],
    [340, '0.34 s'],
    [4_230, '4.2 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [125_000, '2 min 5 s']
  ] as const) {
    it(`what took ${ms} ms took ${text}`, () => assert.equal(formatTook(ms), text))
  }
})
