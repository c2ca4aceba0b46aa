import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  hasEnded,
  type InEvent,
  type InState,
  type OutEvent,
  type OutState,
  stepIn,
  stepOut
} from '../../../protocols/spacedrop/offer.js'
import { applyRule, type Measured, type Rule } from '../../../protocols/spacedrop/rules.js'

const OUT_EVENTS: OutEvent[] = ['taken', 'accepted', 'declined', 'expired', 'cancelled', 'failed', 'completed']
const IN_EVENTS: InEvent[] = ['accepted', 'held', 'declined', 'expired', 'cancelled', 'failed', 'completed']

describe('the life of an offer', () => {
  for (const [what, events, start, step] of [
    ['ours', OUT_EVENTS, 'waiting', stepOut],
    ['theirs', IN_EVENTS, 'pending', stepIn]
  ] as [string, string[], string, (s: never, e: never) => string | undefined][]) {
    it(`${what}: whatever happens, it completes only after it was accepted, is never accepted after its end, and ends once`, () => {
      fc.assert(
        fc.property(fc.array(fc.constantFrom(...events), { maxLength: 30 }), list => {
          let state = start
          let accepted = false
          for (const event of list) {
            const next = step(state as never, event as never)
            if (hasEnded(state as OutState)) assert.equal(next, undefined)
            if (next === 'completed') assert.equal(accepted, true)
            if (next === 'declined') assert.equal(accepted, false)
            if (next === 'accepted') accepted = true
            state = next ?? state
          }
        })
      )
    })
  }

  it('both ends, with answers and withdrawals crossing and repeated in any order, agree in the end', () => {
    const choices = fc.array(fc.constantFrom('accept', 'decline', 'withdraw', 'expire', 'tell', 'tell'), {
      maxLength: 20
    })
    fc.assert(
      fc.property(choices, list => {
        let ours: OutState = 'offered'
        let theirs: InState = 'pending'
        const tell = (): void => {
          // Their answer reaches us; a withdrawal reaches them; an answer that comes too late is told to be.
          if (theirs === 'accepted') ours = stepOut(ours, 'accepted') ?? ours
          else if (theirs === 'declined' || theirs === 'cancelled') ours = stepOut(ours, 'declined') ?? ours
          if ((ours === 'cancelled' || ours === 'expired') && !hasEnded(theirs))
            theirs = stepIn(theirs, 'cancelled') ?? theirs
        }
        for (const event of [...list, 'tell', 'tell']) {
          if (event === 'accept') theirs = stepIn(theirs, 'accepted') ?? theirs
          else if (event === 'decline') theirs = stepIn(theirs, 'declined') ?? theirs
          else if (event === 'withdraw') ours = stepOut(ours, 'cancelled') ?? ours
          else if (event === 'expire') ours = stepOut(ours, 'expired') ?? ours
          else tell()
        }
        // Never does one end move files while the other thinks it is over.
        assert.equal(ours === 'accepted', theirs === 'accepted')
      }),
      { numRuns: 2_000 }
    )
  })
})

describe('rules', () => {
  const small: Measured = { bytes: 10, kinds: new Set(['image'] as const), problems: 0, fits: true }
  const always: Rule = { mode: 'always' }
  for (const [what, rule, offer, accepted] of [
    ['ask asks', { mode: 'ask' }, small, false],
    ['always takes', always, small, true],
    ['exactly the size', { ...always, maxBytes: 10 }, small, true],
    ['one byte more', { ...always, maxBytes: 9 }, small, false],
    ['an allowed kind', { ...always, types: ['image', 'video'] }, small, true],
    ['another kind', { ...always, types: ['video'] }, small, false],
    [
      'one of several of another kind',
      { ...always, types: ['image'] },
      { ...small, kinds: new Set(['image', 'executable'] as const) },
      false
    ],
    ['something had to be refused', always, { ...small, problems: 1 }, false],
    ['it does not fit on the disk', always, { ...small, fits: false }, false]
  ] as [string, Rule, Measured, boolean][]) {
    it(what, () => assert.equal(applyRule(rule, offer) === 'accept', accepted))
  }
})
