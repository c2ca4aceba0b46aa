import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testInstance } from '../../cli.js'

interface Answer {
  job: string
  totals: { groups: number; files: number; wasteBytes: number }
  going: { files: number; bytes: number } | null
  deleted: { job: string } | null
}

describe('file duplicates', () => {
  const instance = testInstance()
  const folder = `${instance.dataDir}-files`
  const GROUPS = 500
  before(async () => {
    mkdirSync(folder)
    await instance.ok('start')
  })
  after(() => instance.clean())

  it('kill -9 while duplicates go: one of each content stays, the others are all in the trash', async () => {
    for (let i = 0; i < GROUPS; i++) {
      for (const copy of ['a', 'b']) writeFileSync(join(folder, `${copy}${i}`), `content ${i}`)
    }
    const found = await instance.json<Answer>('file', 'duplicates', folder, '--keep', 'shortest-path')
    assert.deepEqual([found.totals.groups, found.going?.files], [GROUPS, GROUPS])
    assert.equal(readdirSync(folder).length, 2 * GROUPS, 'nothing goes without --delete')

    const unconfirmed = ['file', 'duplicates', '--job', found.job, '--keep', 'shortest-path', '--delete'] as const
    assert.match((await instance.run(...unconfirmed)).stderr, /--yes/)
    const added = await instance.listen('trash:added')
    const { deleted } = await instance.json<Answer>(...unconfirmed, '--yes', '--no-wait')
    await added.next()
    await instance.kill()
    await instance.ok('start')
    const { job } = deleted!
    const done = await instance.listen('job:completed')
    const state = async () => instance.json<{ state: string; output: { files: number } }>('job', 'info', job)
    if ((await state()).state !== 'completed') await done.next(e => e.job === job)
    assert.deepEqual((await state()).output.files, GROUPS)
    const left = readdirSync(folder)
    assert.deepEqual(
      new Set(left.map(name => readFileSync(join(folder, name), 'utf8'))),
      new Set(Array.from({ length: GROUPS }, (_, i) => `content ${i}`))
    )
    assert.equal(left.length, GROUPS)
    const { totals } = await instance.json<{ totals: { items: number } }>('file', 'trash', 'list', folder)
    assert.equal(totals.items, GROUPS)
  })
})
