import assert from 'node:assert/strict'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testInstance } from '../../cli.js'
import { look } from '../../sync/session/fixture.js'

interface Status {
  state: string
  reason: string | null
  text: string
  advice: string | null
  watching: boolean
  runs?: { state: string; operations: number }[]
}

const FILES = 1_500

describe('a sync of a daemon', () => {
  const instance = testInstance()
  const folder = `${instance.dataDir}-folders`
  const at = (path: string): string => join(folder, path)
  const status = async (): Promise<Status> =>
    (await instance.ask<{ syncs: Status[] }>('sync.status', { name: 'photos', runs: true })).syncs[0]!
  const jobs = async (): Promise<{ kind: string; state: string; phase: string | null }[]> =>
    (await instance.ask<{ jobs: { kind: string; state: string; phase: string | null }[] }>('job.list')).jobs

  /** At rest and watching. It may have been before, and be about to look at everything once more: that is a job of its own. */
  async function settled(): Promise<Status> {
    const changed = await instance.listen('sync:changed', 'job:completed')
    for (;;) {
      const now = await status()
      if (now.state === 'converged' && now.watching) return now
      await changed.next()
    }
  }

  before(async () => {
    for (let i = 0; i < FILES; i++) {
      const dir = i % 10 < 6 ? `a/most/d${i % 10}` : `a/d${i % 10}`
      mkdirSync(at(dir), { recursive: true })
      writeFileSync(at(`${dir}/f${i}`), `content ${i}`)
    }
    await instance.ok('start')
  })
  after(() => instance.clean())

  it('killed in the middle of a run of its own: no path is half, the next start finishes it', async () => {
    const progress = await instance.listen('sync:progress')
    await instance.ok('sync', 'add', 'photos', 'a', 'b', '--mode', 'mirror', { cwd: folder })
    await progress.next()
    await instance.kill()
    const [there, source] = [look(at('b')), look(at('a'))]
    for (const [path, what] of Object.entries(there))
      if (!what.startsWith('folder')) assert.equal(what, source[path], path)
    await instance.ok('start')
    const ended = await instance.listen('job:completed')
    const { runs } = await settled()
    assert.deepEqual(look(at('b')), source)
    assert.ok(runs!.some(r => r.state === 'converged'))
    // Its job is over a moment after the run is.
    while (!(await jobs()).some(j => j.kind === 'sync' && j.state === 'completed')) await ended.next()
    ended.close()
    assert.equal((await instance.json<{ operations: number }>('sync', 'run', 'photos')).operations, 0)
  })

  it('a change is carried over without a word; what halts is told as an event, and said by `sync status`', async () => {
    const finished = await instance.listen('sync:finished')
    // Each in one step: a file that is made and then written to may be two changes, folders that are emptied file by file many.
    writeFileSync(at('new'), 'new')
    renameSync(at('new'), at('a/most/new'))
    const { operations, state } = await finished.next(e => e.operations > 0) // a look that finds nothing to do ends as well
    assert.deepEqual([operations, state], [1, 'converged'])
    assert.match(look(at('b'))['most/new'] ?? '', /^new /)
    const halted = await instance.listen('sync:halted')
    renameSync(at('a/most'), at('gone'))
    assert.equal((await halted.next()).reason, 'too-many-deletions')
    const { text, advice } = await status()
    assert.match(text, /halted, nothing was changed: 901 of 1,501 files at the destination would be gone/)
    assert.match(advice ?? '', /sync run photos --force/)
    assert.match(await instance.ok('sync', 'list'), /photos {2}mirror .* halted/)
    const forced = await instance.json<{ state: string }>('sync', 'run', 'photos', '--force')
    assert.equal(forced.state, 'converged')
    assert.deepEqual(look(at('b')), look(at('a')))
  })

  it('Ctrl-C ends a run cleanly, and its job; paused and resumed', async () => {
    await instance.ok('sync', 'pause', 'photos')
    for (let i = 0; i < 3 * FILES; i++) writeFileSync(at(`a/d9/more${i}`), `more ${i}`)
    assert.equal((await status()).state, 'paused')
    const progress = await instance.listen('sync:progress')
    const cancelled = await instance.listen('job:cancelled')
    const run = instance.begin('sync', 'run', 'photos')
    await progress.next()
    run.child.kill('SIGINT')
    assert.equal((await run.ended).code, 130)
    await cancelled.next(e => e.kind === 'sync')
    assert.equal((await status()).state, 'paused')
    const finished = await instance.listen('sync:finished')
    await instance.ok('sync', 'resume', 'photos')
    await finished.next(e => e.state === 'converged')
    assert.deepEqual(look(at('b')), look(at('a')))
  })
})
