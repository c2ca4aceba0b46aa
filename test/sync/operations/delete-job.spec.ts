import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemConfirm } from '../../../node/operations/confirm.js'
import { fileDelete } from '../../../node/operations/file-delete.js'
import { dispatchAction } from '../../../storage/audit/index.js'
import type { JobId } from '../../../storage/base/index.js'
import { type OperationsFixture, openOperations } from './fixture.js'

const names = (n: number): string[] => Array.from({ length: n }, (_, i) => `many/f${i}`)

describe('the delete job', () => {
  let fixture: OperationsFixture
  beforeEach(async () => {
    fixture = await openOperations()
  })
  afterEach(() => fixture.close())

  async function begin(paths: readonly string[], permanent = false): Promise<JobId> {
    const { operations, audit } = fixture.peer
    const named = paths.map(fixture.at)
    const { job } = await dispatchAction(audit, {
      command: 'file.delete',
      asked: named,
      preview: () => operations.planDelete(named, { permanent }),
      begin: plan => operations.beginDelete(plan, { permanent, paths: named })
    })
    return job
  }
  const listed = () => readdirSync(join(fixture.peer.dataDir, 'work'))

  it('paused and resumed it does everything once', async () => {
    const files = names(1_600)
    fixture.write(Object.fromEntries(files.map(f => [f, f])))
    const added = new Promise<void>(resolve => fixture.peer.events.on('trash:added', () => resolve()))
    const job = await begin(files)
    await added
    await fixture.peer.jobs.pause(job)
    const left = readdirSync(fixture.at('many')).length
    assert.ok(left > 0 && left < files.length, `${left} are left`)
    assert.equal((await fixture.peer.trash.list()).totals.items, files.length - left)
    await fixture.peer.jobs.resume(job)
    const { state, output } = await fixture.ended(job)
    assert.deepEqual([state, (output as { items: number }).items], ['completed', files.length])
    assert.equal((await fixture.peer.trash.list({ job })).totals.items, files.length)
    assert.deepEqual(listed(), [])
  })

  it('cancelled it leaves the rest where it is, and what went can be had back', async () => {
    const files = names(1_600)
    fixture.write(Object.fromEntries(files.map(f => [f, f])))
    const added = new Promise<void>(resolve => fixture.peer.events.on('trash:added', () => resolve()))
    const job = await begin(files)
    await added
    await fixture.peer.jobs.cancel(job)
    const { totals } = await fixture.peer.trash.list({ job })
    assert.equal(readdirSync(fixture.at('many')).length + totals.items, files.length)
    assert.deepEqual(listed(), [])
    await fixture.peer.audit.stop() // what it heard is written
    const [record] = fixture.peer.audit.list({ tail: 1 })
    assert.equal(record?.outcome, 'cancelled')
  })

  it('what is changed between the look and the deletion stays', async () => {
    fixture.write({ a: 'seen', b: 'b' })
    const plan = await fixture.peer.operations.planDelete([fixture.at('a'), fixture.at('b')], { permanent: false })
    appendFileSync(fixture.at('a'), ' and changed')
    const options = { permanent: false, paths: [fixture.at('a')] }
    const info = await fixture.ended(await fixture.peer.operations.beginDelete(plan, options))
    assert.equal(info.state, 'completed-with-problems')
    assert.deepEqual(
      info.problemList.map(p => p.code),
      ['CHANGED']
    )
    assert.deepEqual(readdirSync(fixture.dir), ['a'])
  })

  for (const permanent of [false, true]) {
    it(`${permanent ? 'for good' : 'to the trash'}: an edit that put size and time back stays, another name of a file that went is none`, async () => {
      fixture.write({ 'd/a': 'seen', 'd/b': 'two names' })
      linkSync(fixture.at('d/b'), fixture.at('d/c'))
      const named = ['d/a', 'd/b', 'd/c'].map(fixture.at)
      const plan = await fixture.peer.operations.planDelete(named, { permanent })
      execFileSync('cp', ['-p', named[0]!, fixture.at('times')])
      writeFileSync(named[0]!, 'mine')
      execFileSync('touch', ['-r', fixture.at('times'), named[0]!])
      const info = await fixture.ended(await fixture.peer.operations.beginDelete(plan, { permanent, paths: named }))
      assert.deepEqual(
        info.problemList.map(p => p.code),
        ['CHANGED']
      )
      assert.deepEqual(readdirSync(fixture.at('d')), ['a'])
      assert.equal(readFileSync(named[0]!, 'utf8'), 'mine')
    })
  }

  it('to the trash: more names of one file than go at once', async () => {
    const files = names(1_200)
    fixture.write({ [files[0]!]: 'one' })
    for (const name of files.slice(1)) linkSync(fixture.at(files[0]!), fixture.at(name))
    const info = await fixture.ended(await begin(files))
    assert.deepEqual([info.state, (info.output as { items: number }).items], ['completed', files.length])
  })

  it('a folder that became a location meanwhile stays', async () => {
    fixture.write({ 'folder/x': 'x' })
    const plan = await fixture.peer.operations.planDelete([fixture.at('folder')], { permanent: true })
    const library = await fixture.peer.libraries.create({ name: 'Mine' })
    const { job } = await fixture.peer.locations.add(library, { path: fixture.at('folder') as never })
    await fixture.ended(job)
    const options = { permanent: true, paths: [fixture.at('folder')] }
    const info = await fixture.ended(await fixture.peer.operations.beginDelete(plan, options))
    assert.deepEqual(
      info.problemList.map(p => p.code),
      ['PROTECTED']
    )
    assert.equal(existsSync(fixture.at('folder/x')), true)
  })

  it('for good: deep and wide trees go in stretches, a link in them is removed and not followed', async () => {
    const files = Array.from({ length: 3_000 }, (_, i) => `tree/${i % 7}/${i % 31}/f${i}`)
    fixture.write({ ...Object.fromEntries(files.map(f => [f, 'x'])), 'outside/stays': 'y' })
    mkdirSync(fixture.at('tree/empty/deeper'), { recursive: true })
    const { symlinkSync } = await import('node:fs')
    symlinkSync('../outside', fixture.at('tree/link'))
    const info = await fixture.ended(await begin(['tree'], true))
    assert.deepEqual(
      [info.state, info.output],
      ['completed', { items: 1, files: 3_001, bytes: 3_000 + '../outside'.length }]
    )
    assert.deepEqual(readdirSync(fixture.dir), ['outside'])
    assert.equal(existsSync(fixture.at('outside/stays')), true)
  })

  for (const yes of [true, false]) {
    it(`many files: a person is asked and says ${yes ? 'yes' : 'no'}`, async () => {
      const files = names(1_001)
      fixture.write(Object.fromEntries(files.map(f => [f, 'x'])))
      const { peer } = fixture
      const signal = new AbortController().signal
      let question = ''
      const emit = (value: unknown): void => {
        const asked = value as { question?: string; token?: string }
        if (asked.token === undefined) return
        question = asked.question!
        void systemConfirm.run({ peer, signal, emit: () => {} }, { token: asked.token, yes })
      }
      const input = fileDelete.input.parse({ paths: [fixture.at('many')], confirm: 'ask' })
      const run = fileDelete.run({ peer, signal, emit }, input)
      if (yes) assert.equal((await run).ended?.output.files, 1_001)
      else await assert.rejects(run, { code: 'NOT_CONFIRMED' })
      assert.match(question, /^Move 1 thing with 1,001 files/)
      assert.equal(existsSync(fixture.at('many')), !yes)
      assert.deepEqual(listed(), [])
    })
  }

  it('a thousand files are not asked about', async () => {
    fixture.write(Object.fromEntries(names(1_000).map(f => [f, 'x'])))
    const { peer } = fixture
    const input = fileDelete.input.parse({ paths: [fixture.at('many')], confirm: 'ask' })
    const { ended } = await fileDelete.run({ peer, signal: new AbortController().signal, emit: () => {} }, input)
    assert.equal(ended?.output.files, 1_000)
  })
})
