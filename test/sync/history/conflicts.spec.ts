import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RelPath } from '../../../storage/base/index.js'
import type { Keep } from '../../../sync/session/index.js'
import { look } from '../session/fixture.js'
import { type HistoryFixture, openHistory } from './fixture.js'

const rel = (path: string): RelPath => path as RelPath

describe('conflicts that wait for a person', () => {
  let fixture: HistoryFixture
  beforeEach(async () => {
    fixture = await openHistory({ mode: 'bidirectional', policy: 'prompt' })
    mkdirSync(join(fixture.source, 'd'))
    for (const name of NAMES) writeFileSync(join(fixture.source, name), 'base')
    await fixture.run()
    // Edited at both ends: the source's is newer, the destination's is larger.
    for (const name of NAMES) {
      for (const [end, text, at] of [
        ['source', 'mine', 2_000],
        ['destination', 'theirs!', 1_000]
      ] as const) {
        writeFileSync(join(fixture[end], name), `${text} ${name}`)
        utimesSync(join(fixture[end], name), at, at)
      }
    }
    assert.equal((await fixture.run()).state, 'conflicts')
  })
  afterEach(() => fixture.close())
  const NAMES = ['a', 'b', 'd/c', 'd/e', 'f']
  const read = (name: string): string => readFileSync(join(fixture.destination, name), 'utf8')

  it('both ends stay as they are until it is answered; each answer is done by the next run, what gives way is kept', async () => {
    const before = look(fixture.source)
    await fixture.run()
    assert.deepEqual(look(fixture.source), before)
    const listed = await fixture.history.conflicts(fixture.sync())
    assert.deepEqual(
      listed.map(c => [c.path, c.source?.sizeBytes, c.destination?.sizeBytes]),
      NAMES.map(name => [name, 5 + name.length, 8 + name.length])
    )
    const answers: readonly (readonly [string, Keep])[] = [
      ['a', 'source'],
      ['b', 'destination'],
      ['d/c', 'newer'],
      ['d/e', 'larger']
    ]
    for (const [path, keep] of answers) await fixture.history.answer(fixture.sync(), rel(path), keep)
    assert.deepEqual(look(fixture.source), before, 'an answer alone changes nothing')
    assert.equal((await fixture.history.conflicts(fixture.sync()))[0]!.answered, 'source')
    assert.equal((await fixture.run()).state, 'conflicts', 'f still waits')
    assert.deepEqual(['a', 'b', 'd/c', 'd/e'].map(read), ['mine a', 'theirs! b', 'mine d/c', 'theirs! d/e'])
    assert.deepEqual(
      (await fixture.history.conflicts(fixture.sync())).map(c => c.path),
      ['f']
    )
    await fixture.history.answer(fixture.sync(), rel(''), 'both')
    assert.equal((await fixture.run()).state, 'converged')
    assert.equal(read('f'), 'mine f')
    assert.deepEqual(look(fixture.source), look(fixture.destination))
    assert.ok(Object.keys(look(fixture.source)).some(name => name.startsWith('f.conflict-')))
    assert.deepEqual(fixture.db.all('SELECT * FROM sync_answers', []), [])
    // What gave way can be had back.
    await fixture.restore({ path: rel('a'), to: 'destination' })
    assert.equal(read('a'), 'theirs! a')
  })

  it('what does not wait cannot be answered', async () => {
    await assert.rejects(fixture.history.answer(fixture.sync(), rel('x'), 'both'), { code: 'NOT_IN_CONFLICT' })
    assert.equal((await fixture.history.answer(fixture.sync(), rel('d'), 'both')).length, 2)
  })
})
