import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PairedDaemon, runningPair } from '../../daemons.js'
import { look } from '../../sync/session/fixture.js'

interface Status {
  syncs: { name: string; state: string; text: string }[]
  served: { name: string; state: string }[]
}

describe('a sync with another device runs by itself', () => {
  let ada: PairedDaemon
  let bob: PairedDaemon
  let mine: string
  let theirs: string
  runningPair('ada', 'bob', (a, b) => {
    ada = a
    bob = b
    mine = `${a.downloads}/notes`
    theirs = `${b.downloads}/notes`
    for (const dir of [mine, b.downloads]) mkdirSync(dir, { recursive: true })
  })

  const status = async () => (await ada.ask<Status>('sync.status')).syncs[0]!

  /** Both folders are alike but for times of folders; a run of which nobody knows when it comes is waited for by its event. */
  async function alike(runs: { next(): Promise<unknown> }): Promise<void> {
    for (;;) {
      try {
        assert.deepEqual(look(theirs, { times: false }), look(mine, { times: false }))
        return
      } catch (err) {
        await runs.next().catch(() => {
          throw err
        })
      }
    }
  }

  it('what changes at either end is at the other soon, both ways', async () => {
    writeFileSync(join(mine, 'first'), 'of ada')
    await ada.ok('sync', 'add', 'notes', mine, `bob:${theirs}`, '--mode', 'bidirectional')
    const runs = await ada.listen('sync:finished')
    const asked = await bob.listen('sync:requested')
    const { requests } = await bob.json<{ requests: { id: number }[] }>('sync', 'requests')
    const { id } = requests[0] ?? { id: await asked.next().then(() => 1) }
    asked.close()
    await bob.ok('sync', 'accept', String(id))
    await runs.next()
    await alike(runs)
    writeFileSync(join(theirs, 'second'), 'of bob')
    await runs.next()
    await alike(runs)
    assert.equal(readFileSync(join(mine, 'second'), 'utf8'), 'of bob')
    mkdirSync(join(mine, 'folder'))
    writeFileSync(join(mine, 'folder/third'), 'of ada')
    rmSync(join(mine, 'second'))
    await runs.next()
    await alike(runs)
    runs.close()
  })

  it('the other device is killed and comes back: what happened meanwhile on both goes over', async () => {
    const runs = await ada.listen('sync:finished')
    await bob.kill()
    writeFileSync(join(mine, 'while away'), 'of ada')
    writeFileSync(join(theirs, 'in the dark'), 'of bob')
    await bob.up(ada)
    await alike(runs)
    assert.match((await status()).state, /^(converged|running)$/)
    runs.close()
  })

  it('this device is killed in the middle of it: after the next start both ends are alike, and nothing is missing', async () => {
    // The end of a run that was under way will do as well.
    const begun = await ada.listen('sync:started', 'sync:finished')
    for (let i = 0; i < 300; i++) writeFileSync(join(mine, `many ${i}`), `${i} `.repeat(1_000))
    await begun.next()
    begun.close()
    await ada.kill()
    await ada.up(bob)
    const runs = await ada.listen('sync:finished')
    await alike(runs)
    assert.equal(Object.keys(look(theirs)).filter(name => name.startsWith('many')).length, 300)
    runs.close()
  })

  it('between folders that are alike it says that versions are exchanged: nothing else is done for as long', async () => {
    const [here, there] = [`${ada.downloads}/alike`, `${bob.downloads}/alike`]
    for (const dir of [here, there]) {
      mkdirSync(dir)
      for (let i = 0; i < 1_500; i++) writeFileSync(join(dir, `file ${i}`), `${i}`)
      for (const name of [...readdirSync(dir), '.']) utimesSync(join(dir, name), 1_000, 1_000)
    }
    const asked = await bob.listen('sync:requested')
    const told = await ada.listen('sync:started', 'sync:progress', 'sync:finished')
    await ada.ok('sync', 'add', 'alike', here, `bob:${there}`, '--mode', 'bidirectional')
    await asked.next(e => e.name === 'alike')
    asked.close()
    const { requests } = await bob.json<{ requests: { id: number }[] }>('sync', 'requests')
    await bob.ok('sync', 'accept', String(requests[0]!.id))
    const events: string[] = []
    let most = 0
    await told.next(event => {
      if (event.name !== 'alike') return false
      events.push(event.type === 'sync:progress' ? String(event.phase) : event.type)
      if (event.type === 'sync:progress') most = Math.max(most, Number(event.doneFiles))
      return event.type === 'sync:finished' && event.state === 'converged'
    })
    told.close()
    assert.deepEqual([...new Set(events)], ['sync:started', 'Exchanging versions', 'sync:finished'])
    assert.ok(most >= 1_000, `told of ${most}`)
    await ada.ok('sync', 'remove', 'alike')
  })

  it('revoked there, it ends on both at once; files stay', async () => {
    const before = look(mine, { times: false })
    const cut = await ada.listen('device:disconnected')
    await bob.ok('network', 'revoke', 'ada')
    await cut.next()
    cut.close()
    writeFileSync(join(mine, 'after'), 'of ada')
    assert.deepEqual((await bob.json<Status>('sync', 'status')).served, [])
    // Nobody need come for it to be told: it does not wait for a device that will not have it.
    const run = await ada.run('sync', 'run', 'notes', '--json')
    assert.equal(run.code, 4, run.stdout + run.stderr)
    const { state, reason } = JSON.parse(run.stdout.trim().split('\n').at(-1)!) as { state: string; reason: string }
    assert.deepEqual([state, reason], ['halted', 'refused'])
    assert.match((await status()).text, /bob no longer knows this device/)
    assert.deepEqual(look(theirs, { times: false }), before)
  })
})
