/** kill -9 of either daemon while a run is taken back at the end on another device: each path is old or new, and it goes on. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from '../../../storage/base/index.js'
import type { RunReport } from '../../../sync/session/index.js'
import { type PairedDaemon, runningPair } from '../../daemons.js'
import { look } from '../../sync/session/fixture.js'

const FILES = 40
const BYTES = 300_000

describe('sync undo at the end on another device, and a kill -9 in the middle', () => {
  let ada: PairedDaemon
  let bob: PairedDaemon
  let photos: string
  let backup: string
  runningPair('ada', 'bob', (a, b) => {
    ada = a
    bob = b
    photos = `${a.downloads}/Photos`
    backup = `${b.downloads}/Backup`
    mkdirSync(photos, { recursive: true })
    mkdirSync(b.downloads, { recursive: true })
  })
  const file = (i: number): string => `f${String(i).padStart(2, '0')}`
  const content = (i: number): Buffer => Buffer.alloc(BYTES, i + 1)
  const run = async (): Promise<void> => {
    const { state } = await ada.json<RunReport>('sync', 'run', 'photos', '--force')
    assert.equal(state, 'converged')
  }

  before(async () => {
    for (let i = 0; i < FILES; i++) writeFileSync(join(photos, file(i)), content(i))
    // Of so many files the others are few: no guard there minds.
    for (let i = 0; i < 200; i++) writeFileSync(join(photos, `more ${i}`), '')
    const asked = await bob.listen('sync:requested')
    await ada.ok('sync', 'add', 'photos', photos, `bob:${backup}`, '--mode', 'mirror', '--manual')
    await asked.next(() => true)
    asked.close()
    const accepted = await ada.listen('sync:accepted')
    await bob.ok('sync', 'accept', '1', '--max-delete', '100')
    await accepted.next(() => true)
    accepted.close()
    await run()
  })

  for (const victim of ['bob', 'ada'] as const)
    it(`${victim === 'bob' ? 'the device that holds it' : 'the one that drives'} is killed: it is as before the run in the end`, async () => {
      const was = look(backup)
      const before = new Set(readdirSync(backup))
      for (let i = 0; i < FILES; i++)
        if (i % 2 === 0) rmSync(join(photos, file(i)))
        else writeFileSync(join(photos, file(i)), `other ${i}`)
      await run()
      const { job } = await ada.json<{ job: string }>('sync', 'undo', 'photos', '--no-wait')
      // Something of it lies staged there, or has its name again.
      const area = join(backup, '.spacedrive')
      const staged = (): boolean =>
        below(area).some(path => path.includes(`.${'644'}.`)) || existsSync(join(backup, file(0)))
      while (!staged() && !(await isOver(job))) await sleep(2)
      const [killed, other] = victim === 'bob' ? [bob, ada] : [ada, bob]
      await killed.kill()
      for (const path of before) {
        if (!/^f\d/.test(path) || !existsSync(join(backup, path))) continue
        const i = Number(path.slice(1))
        const there = readFileSync(join(backup, path))
        assert.ok(there.equals(content(i)) || there.toString() === `other ${i}`, path)
      }
      await killed.up(other)
      while (!(await isOver(job))) await sleep(20)
      assert.deepEqual(look(backup), was)
      for (let i = 0; i < FILES; i++) writeFileSync(join(photos, file(i)), content(i))
      await ada.ok('sync', 'resume', 'photos')
      await run()
    })

  async function isOver(job: string): Promise<boolean> {
    const { state, error } = await ada.ask<{ state: string; error: unknown }>('job.info', { job })
    assert.notEqual(state, 'failed', JSON.stringify(error))
    return state === 'completed'
  }
})

/** Names below a folder; none when one of them goes while they are read: who waits looks again. */
function below(dir: string): string[] {
  try {
    return readdirSync(dir, { recursive: true }).map(String)
  } catch (err) {
    if (hasCode(err, 'ENOENT')) return []
    throw err
  }
}
