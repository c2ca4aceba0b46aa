import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testInstance } from '../../cli.js'
import { look } from '../../sync/session/fixture.js'

/** Several batches: with names as long as these one has some 1,200 of them (decisions/175). */
const FILES = 3_500
const nameOf = (i: number): string => `f${i}-`.padEnd(240, 'x')
const MIDDLE = 1_000

interface Runs {
  syncs: { state: string; text: string; paused: boolean; runs: { kind: string; state: string; operations: number }[] }[]
}

describe('restore and undo as jobs', () => {
  const instance = testInstance()
  const folder = `${instance.dataDir}-jobs`
  const at = (path: string): string => join(folder, path)
  after(() => instance.clean())
  const write = (text: string): void => {
    for (let i = 0; i < FILES; i++) writeFileSync(at(`a/d${i % 7}/${nameOf(i)}`), `${text} ${i}`)
  }
  // What is asked and said while a job is in the middle goes straight to the daemon: starting a command takes as long as the job.
  const runs = async (): Promise<Runs['syncs'][number]> =>
    ((await instance.client.call('sync.status', { name: 'photos', runs: true })) as Runs).syncs[0]!
  /** Leaves it to the background, and waits until it is in the middle of it. */
  const begin = async (...words: string[]): Promise<string> => {
    const progress = await instance.listen('job:progress')
    const { job } = await instance.json<{ job: string }>('sync', ...words, '--no-wait')
    await progress.next(e => e.job === job && e.phase === 'Bringing back' && e.doneFiles >= MIDDLE)
    return job
  }
  const infoOf = (job: string) => instance.ask<{ state: string; output: Record<string, number> }>('job.info', { job })
  const ended = async (job: string): Promise<string> => {
    const end = await instance.listen('job:completed', 'job:failed', 'job:cancelled')
    const { state } = await infoOf(job)
    if (state !== 'running' && state !== 'queued') return state
    await end.next(e => e.job === job)
    return (await infoOf(job)).state
  }

  let first: Record<string, string>
  let second: Record<string, string>
  let then: string
  let later: string

  before(async () => {
    for (let i = 0; i < 7; i++) mkdirSync(at(`a/d${i}`), { recursive: true })
    await instance.ok('start')
    write('first')
    await instance.ok('sync', 'add', 'photos', 'a', 'b', '--mode', 'backup', '--manual', { cwd: folder })
    await instance.json('sync', 'run', 'photos')
    first = look(at('a'))
    const { moments } = await instance.json<{ moments: { run: string }[] }>('sync', 'versions', 'photos')
    then = moments[0]!.run
    write('second')
    assert.equal((await instance.run('sync', 'run', 'photos', '--force', '--json')).code, 4)
    await instance.json('sync', 'run', 'photos', '--force')
    second = look(at('a'))
    later = (await instance.json<{ moments: { run: string }[] }>('sync', 'versions', 'photos')).moments[0]!.run
  })

  for (const [what, words, place] of [
    ['to the source', [], 'a'],
    ['into a folder', ['--to', '../out'], 'out']
  ] as const) {
    it(`${what}: killed in the middle it goes on at the next start, to the same moment, as one run`, async () => {
      const to = words.map(w => (w === '../out' ? at('out') : w))
      const job = await begin('restore', 'photos', '--at', then, ...to)
      assert.match((await runs()).text, /running: Bringing back|about to run/)
      await instance.kill()
      await instance.ok('start')
      assert.equal(await ended(job), 'completed')
      assert.deepEqual(look(at(place)), first)
      const restores = (await runs()).runs.filter(r => r.kind === 'restore')
      assert.deepEqual(
        restores.map(r => r.state),
        ['converged'],
        'one run; none of what is written into a folder'
      )
    })
  }

  it('an undo that is paused rests with its sync; resumed it goes on, and reports nothing that it did itself', async () => {
    await instance.json('sync', 'restore', 'photos', '--at', later)
    assert.deepEqual(look(at('a')), second)
    const job = await begin('undo', 'photos')
    await instance.client.call('job.pause', { job })
    assert.match((await runs()).text, /paused: its job waits/)
    const halfway = look(at('a'))
    assert.notDeepEqual(halfway, first)
    assert.notDeepEqual(halfway, second)
    await instance.ok('job', 'resume', job)
    assert.equal(await ended(job), 'completed')
    const { output } = await infoOf(job)
    assert.deepEqual([output.leftCount, output.operations], [0, FILES])
    assert.deepEqual(look(at('a')), first)
  })

  it('cancelled, what was done is done and is taken back like any run', async () => {
    const job = await begin('restore', 'photos', '--at', later)
    await instance.client.call('job.cancel', { job })
    assert.equal(await ended(job), 'cancelled')
    const [last] = (await runs()).runs
    assert.deepEqual([last!.kind, last!.state], ['restore', 'cancelled'])
    assert.ok(last!.operations > 0 && last!.operations < FILES)
    assert.match(await instance.ok('sync', 'undo', 'photos'), /Took back the restore/)
    assert.deepEqual(look(at('a')), first)
  })
})
