import assert from 'node:assert/strict'
import { appendFileSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { hashBytes } from '../../../storage/content/index.js'
import { untilVouched } from '../../vouched.js'
import { type OperationsFixture, openOperations } from './fixture.js'

const page = { limit: 100, offset: 0 }

describe('duplicates', () => {
  let fixture: OperationsFixture
  beforeEach(async () => {
    fixture = await openOperations()
  })
  afterEach(() => fixture.close())

  async function find(minBytes = 1) {
    const { job, work } = await fixture.peer.operations.findDuplicates([fixture.dir], { minBytes })
    const info = await fixture.ended(job)
    const found = await fixture.peer.operations.duplicates(work, page)
    return { info, work, ...found }
  }
  const namesOf = (files: readonly { path: string }[]): string[] => files.map(f => f.path.slice(fixture.dir.length + 1))

  it('same content is found, same size is not, hard links and symlinks are none', async () => {
    const large = Buffer.alloc(300_000, 7)
    const other = Buffer.from(large)
    other[50_000] = 8 // where no sample looks
    const third = Buffer.from(large)
    third[3] = 9 // where one does
    fixture.write({
      'a/one': 'same',
      'b/two': 'same',
      'c/size': 'diff',
      lone: 'nothing like it',
      'l/1': large,
      'l/2': Buffer.from(large),
      'l/3': other,
      'l/4': third,
      empty1: '',
      empty2: ''
    })
    linkSync(fixture.at('a/one'), fixture.at('a/one-again'))
    linkSync(fixture.at('lone'), fixture.at('lone-again'))
    symlinkSync('one', fixture.at('a/link'))
    const { totals, groups, info } = await find()
    assert.equal(info.state, 'completed')
    assert.deepEqual(totals, { groups: 2, files: 4, wasteBytes: 300_004, hardLinks: 1 })
    assert.deepEqual(
      groups.map(g => [g.sizeBytes, namesOf(g.files)]),
      [
        [300_000, ['l/1', 'l/2']],
        [4, ['a/one', 'b/two']]
      ]
    )
    assert.deepEqual(
      groups[1]!.files[0]!.hardLinks.map(l => l.slice(fixture.dir.length + 1)),
      ['a/one-again']
    )
    assert.equal(groups[0]!.hash, hashBytes(large))
  })

  it('the others go to the trash by a rule, with all their names; one of each content stays', async () => {
    fixture.write({ old: 'same', new: 'same', 'x/y': 'xy', 'x/z': 'xy' })
    linkSync(fixture.at('new'), fixture.at('new-again'))
    utimesSync(fixture.at('old'), 1, 1)
    utimesSync(fixture.at('x/z'), 1, 1)
    const { work } = await find()
    const { files, bytes, list } = await fixture.peer.operations.chooseDuplicates(work, { rule: 'oldest' })
    assert.deepEqual([files, bytes], [3, 6])
    assert.deepEqual(namesOf(list).sort(), ['new', 'new-again', 'x/y'])
    const info = await fixture.ended(await fixture.peer.operations.beginRemoveDuplicates(work, 'x'))
    assert.deepEqual([info.state, info.output], ['completed', { files: 3, bytes: 6 }])
    assert.deepEqual(readdirSync(fixture.dir).sort(), ['old', 'x'])
    assert.deepEqual(readdirSync(fixture.at('x')), ['z'])
    assert.equal((await fixture.peer.trash.list({ job: info.id })).totals.items, 3)
  })

  it('what stays is looked at once more: gone, changed or turned into something else, its duplicate stays', async () => {
    fixture.write({ 'keep/1': 'one', 'dup/1': 'one', 'keep/2': 'two', 'dup/2': 'two', 'keep/3': 'six', 'dup/3': 'six' })
    const { work } = await find()
    const folder = fixture.at('keep')
    await fixture.peer.operations.chooseDuplicates(work, { rule: 'in', folder })
    rmSync(fixture.at('keep/1'))
    appendFileSync(fixture.at('keep/2'), '!')
    rmSync(fixture.at('keep/3'))
    symlinkSync('../dup/3', fixture.at('keep/3'))
    const info = await fixture.ended(await fixture.peer.operations.beginRemoveDuplicates(work, 'x'))
    assert.deepEqual([info.state, info.output], ['completed-with-problems', { files: 0, bytes: 0 }])
    assert.deepEqual(readdirSync(fixture.at('dup')), ['1', '2', '3'])
    assert.equal(info.problemList.length, 3)
  })

  it('a duplicate that was changed meanwhile stays, also when size and time were put back', async () => {
    fixture.write({ 'keep/1': 'one', 'dup/1': 'one' })
    const { work } = await find()
    await fixture.peer.operations.chooseDuplicates(work, { rule: 'in', folder: fixture.at('keep') })
    const at = fixture.at('dup/1')
    const { statSync, writeFileSync } = await import('node:fs')
    const { atime, mtime } = statSync(at)
    writeFileSync(at, 'eno')
    utimesSync(at, atime, mtime)
    const info = await fixture.ended(await fixture.peer.operations.beginRemoveDuplicates(work, 'x'))
    assert.equal(info.output && (info.output as { files: number }).files, 0)
    assert.equal(existsSync(at), true)
  })

  it('hashes in the index are used where the stat vouches, and only there', async () => {
    fixture.write({ 'a/1': 'equal', 'a/2': 'equal', 'a/3': 'other' })
    for (const name of ['1', '2', '3']) utimesSync(fixture.at(`a/${name}`), 1_000, 1_000)
    const library = await fixture.peer.libraries.create({ name: 'Mine' })
    await untilVouched(fixture.at('a'))
    const { job: indexing } = await fixture.peer.locations.add(library, { path: fixture.at('a') as never })
    await fixture.ended(indexing)
    const first = await find()
    assert.ok(first.info.log.some(l => /^3 files share .*; 3 of 3 hashes/.test(l.message)))
    assert.equal(first.totals.groups, 1)
    await fixture.peer.locations.remove((await fixture.peer.locations.list())[0]!.id)
  })

  it('folders that are not there are refused, our own places are not looked into', async () => {
    await assert.rejects(fixture.peer.operations.findDuplicates([fixture.at('no')], { minBytes: 1 }), {
      code: 'NOT_FOUND'
    })
    mkdirSync(fixture.at('.spacedrive'))
    fixture.write({ '.spacedrive/root.json': '{}', '.spacedrive/x': 'same', y: 'same', '.spacedrive-tmp-z': 'same' })
    assert.equal((await find()).totals.groups, 0)
  })
})
