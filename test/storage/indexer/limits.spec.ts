import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { type AbsPath, ROOT } from '../../../storage/base/index.js'
import { FLAG, KIND, MAX_TOLD_CHANGES } from '../../../storage/entries/index.js'
import { DEFAULT_RULES, MAX_BROWSED } from '../../../storage/indexer/index.js'
import { MAX_IGNORE_FILE_BYTES, RuleBook } from '../../../storage/indexer/rules.js'
import { type IndexFixture, indexFixture } from './index-fixture.js'

describe('limits of the index', () => {
  let f: IndexFixture
  beforeEach(async () => {
    f = await indexFixture()
  })
  afterEach(() => f.close())

  it(`an ignore file of ${MAX_IGNORE_FILE_BYTES} bytes counts, a larger one does not`, () => {
    const rules = { ...DEFAULT_RULES, gitignore: true }
    const flagsOfLog = (): number =>
      new RuleBook(f.tree, [{ rel: ROOT, rules, enterExcluded: false }]).of(ROOT, false).flags('a.log', KIND.FILE, 1)
    const text = '*.log\n#'
    writeFileSync(`${f.tree}/.gitignore`, text.padEnd(MAX_IGNORE_FILE_BYTES, '-'))
    assert.equal(flagsOfLog(), FLAG.EXCLUDED)
    writeFileSync(`${f.tree}/.gitignore`, text.padEnd(MAX_IGNORE_FILE_BYTES + 1, '-'))
    assert.equal(flagsOfLog(), 0)
  })

  it(`one write tells ${MAX_TOLD_CHANGES} changes, and of more their number`, async () => {
    const location = await f.location()
    await f.indexer.index({ library: f.library, location })
    const told: string[] = []
    const numbers: number[] = []
    f.events.on('entry:created', ({ path }) => void told.push(path))
    f.events.on('index:changed', ({ changes }) => void numbers.push(changes))
    const make = async (count: number, prefix: string): Promise<void> => {
      for (let i = 0; i < count; i++) writeFileSync(`${f.tree}/${prefix}${i}`, '')
      const changes = Array.from({ length: count }, (_, i) => ({ path: `${prefix}${i}` as never }))
      await f.indexer.applyChanges(f.library, location, changes)
    }
    await make(MAX_TOLD_CHANGES, 'a')
    assert.equal(told.length, MAX_TOLD_CHANGES)
    await make(MAX_TOLD_CHANGES + 1, 'b')
    assert.equal(told.length, 2 * MAX_TOLD_CHANGES)
    // The folder itself changed with the first one.
    assert.ok(numbers.reduce((sum, n) => sum + n, 0) >= 2 * MAX_TOLD_CHANGES + 1)
  })

  it(`a look without recording holds ${MAX_BROWSED} entries and says when there were more`, async () => {
    for (let i = 0; i < MAX_BROWSED; i++) writeFileSync(`${f.tree}/${i}`, '')
    const path = f.tree as AbsPath
    const whole = await f.indexer.browse({ path })
    assert.deepEqual([whole.entries.length, whole.truncated], [MAX_BROWSED, false])
    writeFileSync(`${f.tree}/more`, '')
    const cut = await f.indexer.browse({ path })
    assert.deepEqual([cut.entries.length, cut.truncated], [MAX_BROWSED, true])
  })
})
