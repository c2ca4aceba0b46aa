import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PairedDaemon, sharingPair } from '../../daemons.js'

interface JobInfo {
  id: string
  state: string
  pausedBecause: string | null
  error: { code: string; message: string } | null
  problems: number
  problemList: { code: string }[]
  output?: { copied: number; same: number; sentBytes: number; resumedBytes: number; removed: number }
}

const MIB = 2 ** 20
/** More than goes over between two looks at it, little enough to be written in a moment. */
const LARGE_BYTES = 96 * MIB
const SMALL_FILES = 700

describe('file copy DEVICE:/path: a device that is away, lost connections, kill -9', () => {
  let ada: PairedDaemon
  let bob: PairedDaemon
  let here: string
  let there: string
  sharingPair(pair => {
    ;({ ada, bob, here, there } = pair)
  })

  const info = (job: string): Promise<JobInfo> => ada.ask<JobInfo>('job.info', { job })

  /** How the job stands once it is in one of these states: it is looked at first, and at each of its events. */
  async function once(job: string, states: readonly string[]): Promise<JobInfo> {
    const events = await ada.listen('job:paused', 'job:completed', 'job:failed', 'job:cancelled')
    try {
      for (;;) {
        const now = await info(job)
        if (states.includes(now.state)) return now
        await events.next(e => e.job === job)
      }
    } finally {
      events.close()
    }
  }
  const ENDED = ['completed', 'completed-with-problems', 'failed', 'cancelled']
  const ended = (job: string): Promise<JobInfo> => once(job, ENDED)
  const paused = (job: string): Promise<JobInfo> => once(job, ['paused'])

  function makeTree(path: string): number {
    mkdirSync(join(path, 'small/empty'), { recursive: true })
    let bytes = LARGE_BYTES
    for (let i = 0; i < SMALL_FILES; i++) {
      writeFileSync(join(path, `small/${i}`), randomBytes(1 + i * 7))
      bytes += 1 + i * 7
    }
    writeFileSync(join(path, 'large'), randomBytes(LARGE_BYTES))
    symlinkSync('small/1', join(path, 'link'))
    return bytes
  }

  const equal = (a: string, b: string): void => void execFileSync('diff', ['-r', '--no-dereference', a, b])
  /** Names of ours in a folder: what is staged there. */
  const staged = (folder: string): string[] => readdirSync(folder).filter(n => n.startsWith('.spacedrive-tmp-'))

  it('to a device that is away: the job waits, says for whom, and is done when the device returns', async () => {
    const source = join(here, 'waits')
    mkdirSync(source)
    writeFileSync(join(source, 'a'), 'a')
    const gone = await ada.listen('device:disconnected')
    await bob.kill()
    await gone.next(e => e.device === bob.id)
    const { job } = await ada.json<{ job: string }>('file', 'copy', source, `bob:${there}`, '--no-wait')
    const waiting = await paused(job)
    assert.match(waiting.pausedBecause ?? '', /^waits for bob: it goes on by itself/)
    assert.match(await ada.ok('job', 'list'), /copy waits to bob:.*paused.*waits for bob/)
    // It is remembered over a restart of the one that waits, too.
    await ada.kill()
    await ada.up()
    assert.equal((await paused(job)).state, 'paused')
    await bob.up(ada)
    assert.equal((await ended(job)).state, 'completed')
    equal(source, join(there, 'waits'))
  })

  it('who waits for the copy is told, and gets its end', async () => {
    const gone = await ada.listen('device:disconnected')
    await bob.kill()
    await gone.next(e => e.device === bob.id)
    writeFileSync(join(here, 'later'), 'later')
    const copy = ada.begin('--json', 'file', 'copy', join(here, 'later'), `bob:${there}`)
    await copy.line(/"waiting":"waits for bob/)
    await bob.up(ada)
    const { code, stdout } = await copy.ended
    assert.equal(code, 0, stdout)
    assert.equal(existsSync(join(there, 'later')), true)
  })

  for (const [name, direction] of [
    ['to the other device', 'over'],
    ['from the other device', 'back']
  ] as const) {
    it(`kill -9 of either in the middle of a copy ${name}: it goes on, and what arrived is not sent again`, async () => {
      const [from, to] = direction === 'over' ? [here, there] : [there, here]
      const source = join(from, `killed-${direction}`)
      const bytes = makeTree(source)
      const args = direction === 'over' ? [source, `bob:${to}`] : [`bob:${source}`, to]
      const progress = await ada.listen('job:progress', 'job:completed')
      const { job } = await ada.json<{ job: string }>('file', 'copy', ...args, '--no-wait')
      // More than may be on the way at once: some of it has arrived.
      const part = Math.floor(bytes * (0.3 + 0.3 * Math.random()))
      await progress.next(e => e.job === job && (e.type === 'job:completed' || e.doneBytes > part))
      progress.close()
      await bob.kill()
      // On a machine that does other things as well it may have been done before.
      const { state } = await once(job, ['paused', 'completed'])
      await bob.up(ada)
      const first = await ended(job)
      assert.equal(first.state, 'completed', JSON.stringify(first))
      equal(source, join(to, `killed-${direction}`))
      const { sentBytes, resumedBytes, same } = first.output!
      if (state === 'paused') assert.ok(resumedBytes + same > 0, 'something had arrived')
      // What was on its way when the connection broke may go over once more: credits of the stream, a pack in each portion.
      assert.ok(sentBytes < bytes + 48 * MIB, `${sentBytes} of ${bytes} bytes were sent`)
      assert.deepEqual([...staged(to), ...staged(from)], [])
    })
  }

  it('kill -9 of the one that copies: its job goes on at the next start', async () => {
    const source = join(here, 'mine')
    const bytes = makeTree(source)
    execFileSync('cp', ['-a', source, join(here, 'kept')])
    const progress = await ada.listen('job:progress', 'job:completed')
    const { job } = await ada.json<{ job: string }>('file', 'move', source, `bob:${there}`, '--no-wait')
    await progress.next(e => e.job === job && (e.type === 'job:completed' || e.doneBytes > bytes / 3))
    await ada.kill()
    await ada.up(bob)
    const end = await ended(job)
    assert.equal(end.state, 'completed', JSON.stringify(end))
    equal(join(here, 'kept'), join(there, 'mine'))
    assert.equal(existsSync(source), false)
    assert.deepEqual([...staged(here), ...staged(there)], [])
    rmSync(join(here, 'kept'), { recursive: true })
  })

  /** A copy that has done all but what it asks about. */
  async function resting(name: string): Promise<{ job: string; source: string }> {
    const source = join(here, name)
    for (const [at, text] of [
      [source, 'mine'],
      [join(there, name), 'theirs']
    ] as const) {
      mkdirSync(at)
      writeFileSync(join(at, 'asked'), text)
    }
    writeFileSync(join(source, 'other'), 'other')
    const { job } = await ada.json<{ job: string }>(
      ...['file', 'copy', source, `bob:${there}`, '--no-wait', '--overwrite', 'prompt']
    )
    await paused(job)
    assert.equal(readFileSync(join(there, name, 'other'), 'utf8'), 'other')
    return { job, source }
  }

  it('access that is taken back in the middle of it ends the copy in words; given again, it goes on', async () => {
    const { job, source } = await resting('taken-back')
    await bob.ok('network', 'ungrant', 'ada', there)
    await ada.ok('job', 'resume', job, '--answer', 'replace')
    const failed = await ended(job)
    assert.deepEqual([failed.state, failed.error?.code], ['failed', 'NOT_GRANTED'])
    assert.match(failed.error!.message, /^bob: that folder is not granted to you/)
    assert.equal(readFileSync(join(there, 'taken-back/asked'), 'utf8'), 'theirs')
    await bob.ok('network', 'grant', 'ada', there, '--write')
    await ada.ok('job', 'resume', job)
    const end = await ended(job)
    assert.equal(end.state, 'completed-with-problems')
    assert.deepEqual(
      end.problemList.map(p => p.code),
      ['STAGING_LEFT']
    )
    equal(source, join(there, 'taken-back'))
    assert.deepEqual(staged(there), [])
  })

  it('cancelled: what was copied stays, and nothing half lies about', async () => {
    const { job } = await resting('cancelled')
    assert.notDeepEqual(staged(there), [])
    await ada.ok('job', 'cancel', job)
    assert.equal((await ended(job)).state, 'cancelled')
    assert.deepEqual(staged(there), [])
    assert.equal(readFileSync(join(there, 'cancelled/asked'), 'utf8'), 'theirs')
  })

  it('a device that is revoked is not waited for any more', async () => {
    const gone = await ada.listen('device:disconnected')
    await bob.kill()
    await gone.next(e => e.device === bob.id)
    const source = join(here, 'unwanted')
    writeFileSync(source, 'x')
    const { job } = await ada.json<{ job: string }>('file', 'copy', source, `bob:${there}`, '--no-wait')
    await paused(job)
    await ada.ok('network', 'revoke', 'bob')
    const end = await ended(job)
    assert.deepEqual([end.state, end.error?.code], ['failed', 'REVOKED'])
  })
})
