import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testInstance } from '../../cli.js'

/** Of each kind; more by FILE_KILLS, in a nightly run. */
const KILLS = Number(process.env.FILE_KILLS ?? 1)
const FILES = 600
const content = (i: number): string => `content ${i % (FILES / 2)}`

interface Ended {
  readonly state: string
  readonly problems: number
  readonly output: Readonly<Record<string, number>>
}

describe('operations on files: the daemon is killed in the middle', () => {
  const instance = testInstance()
  const folder = `${instance.dataDir}-files`
  const names = Array.from({ length: FILES }, (_, i) => `f${i}`)
  const write = (): void => {
    mkdirSync(folder, { recursive: true })
    for (const [i, name] of names.entries()) writeFileSync(join(folder, name), content(i))
  }
  const items = async (): Promise<number> =>
    (await instance.json<{ totals: { items: number } }>('file', 'trash', 'list', folder)).totals.items

  before(async () => {
    write()
    await instance.ok('start')
    await instance.ok('library', 'create', 'Mine')
    await instance.ok('location', 'add', folder, '--wait')
  })
  after(() => instance.clean())

  /** Begins a job, kills the daemon as soon as something of it is done (some time after it in a long look), lets it end. */
  async function killed(...words: string[]): Promise<Ended> {
    const heard = await instance.listen('job:progress', 'job:completed')
    const answer = await instance.json<{ job: string; deleted?: { job: string } }>(...words, '--no-wait')
    const job = answer.deleted?.job ?? answer.job
    // A short one may have ended before its figures were told.
    await heard.next(e => e.job === job && (e.type === 'job:completed' || e.doneFiles > 0))
    if (KILLS > 1) await new Promise(resolve => setTimeout(resolve, Math.random() * 100))
    heard.close()
    await instance.kill()
    await instance.ok('start')
    const listening = await instance.listen('job:completed', 'job:failed')
    const info = (): Promise<Ended> => instance.ask('job.info', { job })
    if (['queued', 'running'].includes((await info()).state)) await listening.next(e => e.job === job)
    listening.close()
    return info()
  }
  async function audited(): Promise<unknown> {
    const { records } = await instance.json<{ records: { command: string; outcome: string; files: number }[] }>(
      ...['system', 'audit', '--tail', '1']
    )
    const { command, outcome, files } = records[0]!
    return { command, outcome, files }
  }
  const works = (): string[] => readdirSync(join(instance.dataDir, 'work'))

  for (let n = 1; n <= KILLS; n++) {
    it(`validation reads on where it was (kill ${n})`, async () => {
      const { state, output } = await killed('file', 'validate', folder)
      assert.equal(state, 'completed')
      const { whole, corrupt, changed, unreadable, unrecorded } = output
      assert.deepEqual([whole! + changed!, corrupt, unreadable, unrecorded], [FILES, 0, 0, 0])
      assert.deepEqual(works(), [])
    })

    it(`duplicates are all found, each group once (kill ${n})`, async () => {
      const { state, output } = await killed('file', 'duplicates', folder)
      assert.equal(state, 'completed')
      assert.deepEqual([output.groups, output.files, output.hardLinks], [FILES / 2, FILES, 0])
    })

    it(`what is taken back is at its place once, whole (kill ${n})`, async () => {
      const paths = names.map(name => join(folder, name))
      const { job } = await instance.json<{ job: string }>('file', 'delete', ...paths)
      const { state, output, problems } = await killed('file', 'trash', 'restore', '--job', job)
      assert.deepEqual([state, output.items, output.files, problems], ['completed', FILES, FILES, 0])
      assert.deepEqual(readdirSync(folder).sort(), [...names].sort())
      for (const [i, name] of names.entries()) assert.equal(readFileSync(join(folder, name), 'utf8'), content(i))
      assert.equal(await items(), 0)
      assert.deepEqual(await audited(), { command: 'file.trash.restore', outcome: 'done', files: FILES })
    })

    it(`the trash is emptied to the end, and the count is of all (kill ${n})`, async () => {
      await instance.ok('file', 'delete', ...names.map(name => join(folder, name)))
      const { state, output } = await killed('file', 'trash', 'empty', '--yes')
      assert.deepEqual([state, output.items, output.files], ['completed', FILES, FILES])
      assert.equal(await items(), 0)
      assert.deepEqual(readdirSync(join(instance.dataDir, 'trash')), [])
      assert.deepEqual(await audited(), { command: 'file.trash.empty', outcome: 'done', files: FILES })
      write()
    })
  }
})
