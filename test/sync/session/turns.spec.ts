import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { AbsPath, AnyEvent } from '../../../storage/base/index.js'
import { MAX_RUNNING } from '../../../storage/jobs/limits.js'
import { type Sync, WAITS_FOR_TURN } from '../../../sync/session/index.js'
import { TwoFolders } from './two-folders.js'

describe('the turn of a session', () => {
  let two: TwoFolders
  beforeEach(async () => {
    two = new TwoFolders()
    await two.start()
  })
  afterEach(() => two.clean())

  const add = (name: string, from: string): Promise<Sync> => {
    mkdirSync(two.at(from), { recursive: true })
    return two.peer.syncs.add({
      ...{ name, mode: 'mirror', policy: 'keep-both', ignore: [], maxDeletePercent: 50, manual: true },
      ...{ source: two.at(from) as AbsPath, destination: two.at(`to-${name}`) as AbsPath }
    })
  }

  it('who waits for it holds no place among the jobs: what shares nothing with them goes on', async () => {
    two.put('a/f', '1')
    const { syncs, jobs, events } = two.peer
    const same = await Promise.all(Array.from({ length: MAX_RUNNING + 1 }, (_, i) => add(`same${i}`, 'a')))
    const other = await add('other', 'x')
    writeFileSync(two.at('x/g'), '2')
    let release = (): void => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    let waits = 0
    const all = new Promise<void>(resolve => {
      events.onAny((event: AnyEvent) => {
        if (event.type === 'job:progress' && event.message === WAITS_FOR_TURN && ++waits === same.length) resolve()
      })
    })
    // As a restore, or another session at that folder.
    const held = syncs.lend(same[0]!, [], {}, () => released)
    const waiting = await Promise.all(same.map(sync => syncs.begin(sync)))
    await all
    const { output } = await jobs.outcome(await syncs.begin(other))
    assert.equal((output as { state: string }).state, 'converged')
    release()
    await held
    for (const job of waiting) assert.equal((await jobs.outcome(job)).state, 'completed')
  })
})
