import assert from 'node:assert/strict'
import { z } from 'zod'
import { parseInput } from '../../../node/operations/input.js'

const schema = z.strictObject({
  name: z.string().min(1).max(20),
  run: z.string().min(6).optional(),
  limit: z.number().int().min(1).max(100).optional(),
  paths: z.array(z.string()).min(2).max(3).optional(),
  mode: z.enum(['mirror', 'backup', 'replica']).optional()
})

describe('what is said of a wrong input', () => {
  for (const [why, input, text] of [
    ['nothing', { name: '' }, '"name": must not be empty'],
    ['a text too long', { name: 'x'.repeat(21) }, '"name": expected 20 characters or fewer'],
    ['a text too short', { name: 'x', run: 'nope' }, '"run": expected 6 characters or more'],
    ['a number too small', { name: 'x', limit: 0 }, '"limit": expected 1 or more'],
    ['a number too large', { name: 'x', limit: 101 }, '"limit": expected 100 or fewer'],
    ['too few', { name: 'x', paths: ['a'] }, '"paths": expected 2 entries or more'],
    ['no text', { name: 1 }, '"name": expected text, received number'],
    ['no whole number', { name: 'x', limit: 1.5 }, '"limit": expected a whole number, received number'],
    ['what is left out', {}, '"name": expected text'],
    ['another word', { name: 'x', mode: 'copy' }, '"mode": expected mirror, backup or replica'],
    ['an unknown field', { name: 'x', limits: 1 }, 'unknown field "limits" (did you mean "limit"?)']
  ] as const) {
    it(`${why}: ${text}`, () => {
      const message = `the input of test was refused: ${text}`
      assert.throws(() => parseInput(schema, input, 'the input of test'), { code: 'BAD_INPUT', message })
    })
  }
})
