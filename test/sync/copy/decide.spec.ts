import assert from 'node:assert/strict'
import { type DecideRules, decide, OVERWRITE_MODES, type Seen } from '../../../sync/copy/decide.js'

const rules = (more: Partial<DecideRules> = {}): DecideRules => ({
  ...{ overwrite: 'replace', keepTimes: true, beganNs: 5_000n, timeStepNs: 1n, modes: true, strict: false },
  ...more
})
const file = (more: Partial<Seen> = {}): Seen => ({
  ...{ kind: 'file', sizeBytes: 10, mtimeNs: 1_000n, mode: 0o644 },
  ...more
})
const link = (target: string): Seen => file({ kind: 'symlink', link: target })

describe('copy: what becomes of one file', () => {
  for (const overwrite of OVERWRITE_MODES) {
    it(`${overwrite}: nothing is there: it is copied`, () => {
      assert.deepEqual(decide(file(), undefined, rules({ overwrite })), { do: 'copy' })
    })
    it(`${overwrite}: the same size and time: it is there already`, () => {
      assert.deepEqual(decide(file(), file(), rules({ overwrite })), { do: 'same', attributes: false })
    })
    it(`${overwrite}: the same time, but written where it stands: the contents decide`, () => {
      for (const ctimeNs of [1_000n, 20_000_000n]) {
        assert.deepEqual(decide(file(), file({ ctimeNs }), rules({ overwrite })), { do: 'compare' })
      }
      assert.equal(decide(file(), file({ ctimeNs: 40_000_000n }), rules({ overwrite })).do, 'same')
    })
    it(`${overwrite}: another time: the contents decide`, () => {
      assert.deepEqual(decide(file(), file({ mtimeNs: 2_000n }), rules({ overwrite })), { do: 'compare' })
    })
    it(`${overwrite}: never over a folder, never over what is no file`, () => {
      for (const kind of ['directory', 'other'] as const) {
        assert.deepEqual(decide(file(), file({ kind }), rules({ overwrite })), { do: 'refuse', code: 'KIND_DIFFERS' })
      }
    })
    it(`${overwrite}: links are compared by where they lead`, () => {
      assert.deepEqual(decide(link('a'), link('a'), rules({ overwrite })), { do: 'same', attributes: false })
      assert.notEqual(decide(link('a'), link('b'), rules({ overwrite })).do, 'same')
      assert.notEqual(decide(link('a'), file(), rules({ overwrite })).do, 'same')
    })
    it(`${overwrite}: strict: size and time are no proof`, () => {
      assert.deepEqual(decide(file(), file(), rules({ overwrite, strict: true })), { do: 'compare' })
      const compared = rules({ overwrite, strict: true, sameContent: true })
      assert.equal(decide(file(), file(), compared).do, 'same')
    })
  }

  for (const [overwrite, age, expected] of [
    ['replace', 'older', { do: 'replace' }],
    ['replace', 'newer', { do: 'replace' }],
    ['skip', 'older', { do: 'skip', reason: 'exists' }],
    ['skip', 'newer', { do: 'skip', reason: 'exists' }],
    ['prompt', 'older', { do: 'ask' }],
    ['prompt', 'newer', { do: 'ask' }],
    ['skip-newer', 'older', { do: 'replace' }],
    ['skip-newer', 'newer', { do: 'skip', reason: 'newer' }],
    ['skip-newer', 'as old', { do: 'skip', reason: 'newer' }]
  ] as const) {
    it(`${overwrite}: what is there differs and is ${age}`, () => {
      const mtimeNs = age === 'older' ? 1n : age === 'newer' ? 2_000n : 1_000n
      assert.deepEqual(decide(file(), file({ sizeBytes: 11, mtimeNs }), rules({ overwrite })), expected)
    })
  }

  it('the same bytes with another time or mode: only where it replaces does that follow the source', () => {
    for (const [target, more, attributes] of [
      [file({ mtimeNs: 2_000n }), {}, true],
      [file({ mode: 0o600 }), {}, true],
      [file({ mode: 0o600 }), { modes: false }, false],
      [file({ mtimeNs: 2_000n }), { keepTimes: false }, false],
      [file({ mtimeNs: 2_000n }), { overwrite: 'skip' }, false],
      [file({ mtimeNs: 2_000n }), { overwrite: 'prompt' }, false],
      [file({ mtimeNs: 2_000n }), { overwrite: 'skip-newer' }, true]
    ] as const) {
      const decision = decide(file(), target, rules({ ...more, sameContent: true }))
      assert.deepEqual(decision, { do: 'same', attributes })
    }
  })

  it('a file system that keeps two seconds: times within a step are the same', () => {
    const coarse = rules({ timeStepNs: 2_000_000_000n })
    assert.equal(decide(file({ mtimeNs: 1_999_999_999n }), file({ mtimeNs: 0n }), coarse).do, 'same')
    assert.equal(decide(file({ mtimeNs: 2_000_000_000n }), file({ mtimeNs: 0n }), coarse).do, 'compare')
  })

  it('copies with the time of the job: found again by that time', () => {
    const now = rules({ keepTimes: false })
    assert.equal(decide(file(), file({ mtimeNs: 5_000n }), now).do, 'same')
    assert.equal(decide(file(), file(), now).do, 'compare')
  })
})
