import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunReport } from '../../../sync/session/index.js'
import { type PairedDaemon, runningPair } from '../../daemons.js'
import { look } from '../../sync/session/fixture.js'

interface Requests {
  requests: { id: number; name: string; deviceName: string; here: string; changes: boolean; side: string }[]
}
interface Status {
  syncs: { name: string; state: string; text: string; reason: string | null; advice: string | null }[]
  served: { name: string; state: string; text: string; advice: string | null; driver: object | null }[]
}

describe('sync add NAME PATH DEVICE:/path', () => {
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

  const status = (of: PairedDaemon): Promise<Status> => of.ask<Status>('sync.status')
  const run = (...more: string[]): Promise<RunReport> => ada.json<RunReport>('sync', 'run', 'photos', ...more)

  async function untilAsked(): Promise<void> {
    const requested = await bob.listen('sync:requested')
    if ((await bob.json<Requests>('sync', 'requests')).requests.length === 0) await requested.next(() => true)
    requested.close()
  }

  /** How a run ended that need not have gone through. */
  async function ended(...more: string[]): Promise<RunReport> {
    const { stdout } = await ada.run('sync', 'run', 'photos', '--json', ...more)
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as RunReport
  }

  it('it waits until a person there has accepted; nothing happens before', async () => {
    writeFileSync(join(photos, 'a.jpg'), 'first')
    writeFileSync(join(photos, 'large'), Buffer.alloc(3_000_000, 7))
    const asked = await bob.listen('sync:requested')
    const said = await ada.ok('sync', 'add', 'photos', photos, `bob:${backup}`, '--mode', 'mirror', '--manual')
    assert.match(said, /bob is asked/)
    await asked.next(() => true)
    asked.close()
    const [mine] = (await status(ada)).syncs
    assert.deepEqual([mine?.state, mine?.advice], ['waiting', null])
    assert.match(mine!.text, /bob: it has not accepted/)
    const { requests } = await bob.json<Requests>('sync', 'requests')
    assert.deepEqual(
      requests.map(r => [r.name, r.deviceName, r.here, r.changes, r.side]),
      [['photos', 'ada', backup, true, 'destination']]
    )
    assert.equal(existsSync(backup), false)
    assert.equal((await ada.run('sync', 'run', 'photos')).code, 6)
    assert.equal((await ended()).reason, 'NOT_ACCEPTED')
  })

  it('accepted, it runs; a change goes over, what it replaced is kept there; a second run does nothing', async () => {
    const accepted = await ada.listen('sync:accepted')
    assert.match(await bob.ok('sync', 'accept', '1'), /ada reads and changes .*Backup/)
    await accepted.next(() => true)
    accepted.close()
    assert.equal((await run()).state, 'converged')
    assert.deepEqual(look(backup), look(photos))
    writeFileSync(join(photos, 'a.jpg'), 'second, and longer')
    assert.equal((await run()).operations, 1)
    assert.equal((await run()).operations, 0)
    assert.equal(readFileSync(join(backup, 'a.jpg'), 'utf8'), 'second, and longer')
    const lists = readdirSync(join(backup, '.spacedrive/versions/content'))
    assert.equal(lists.length, 1)
    const [served] = (await status(bob)).served
    assert.equal(served?.state, 'served')
    assert.match(served!.text, /driven by ada, last run/)
    assert.deepEqual(served!.driver, { state: 'converged', text: 'in step', advice: null })
    assert.match(await bob.ok('sync', 'run', 'photos'), /In step: 0 done/)
    assert.match(await bob.ok('sync', 'plan', 'photos'), /Nothing to do/)
  })

  it('what the other end keeps is seen and brought back there; to take it back is for the driver', async () => {
    const { versions } = await bob.json<{ versions: { end: string; kind: string; sizeBytes: number }[] }>(
      ...['sync', 'versions', 'photos', 'a.jpg']
    )
    assert.deepEqual(
      versions.map(v => [v.end, v.kind, v.sizeBytes]),
      [['destination', 'file', 5]]
    )
    const { moments } = await bob.json<{ moments: { run: string }[] }>('sync', 'versions', 'photos')
    assert.equal(moments.length, 2)
    const first = moments.at(-1)!.run
    const old = `${bob.downloads}/old`
    await bob.ok('sync', 'restore', 'photos', 'a.jpg', '--at', first, '--to', old)
    assert.equal(readFileSync(join(old, 'a.jpg'), 'utf8'), 'first')
    assert.match((await bob.run('sync', 'restore', 'photos', 'a.jpg', '--to', 'destination')).stderr, /NEWFOLDER/)
    for (const command of [['run', '--force'], ['undo']]) {
      const { code, stderr } = await bob.run('sync', command[0]!, 'photos', ...command.slice(1))
      assert.notEqual(code, 0)
      assert.match(stderr, /driven by ada/)
    }
  })

  it('the same words where it is driven: what that end keeps is seen, brought back, and a run taken back there', async () => {
    const { versions } = await ada.json<{ versions: { end: string; sizeBytes: number }[]; unheard: unknown }>(
      ...['sync', 'versions', 'photos', 'a.jpg']
    )
    assert.deepEqual(
      versions.map(v => [v.end, v.sizeBytes]),
      [['destination', 5]]
    )
    const found = `${ada.downloads}/found`
    const first = (await ada.json<{ moments: { run: string }[] }>('sync', 'versions', 'photos')).moments.at(-1)!.run
    await ada.ok('sync', 'restore', 'photos', 'a.jpg', '--at', first, '--to', found)
    assert.equal(readFileSync(join(found, 'a.jpg'), 'utf8'), 'first')
    assert.match(await ada.ok('sync', 'undo', 'photos', '--dry-run'), /replace +destination +a.jpg/)
    assert.match(await ada.ok('sync', 'undo', 'photos'), /Took back the run/)
    assert.equal(readFileSync(join(backup, 'a.jpg'), 'utf8'), 'first')
    await ada.ok('sync', 'undo', 'photos')
    assert.equal(readFileSync(join(backup, 'a.jpg'), 'utf8'), 'second, and longer')
    await ada.ok('sync', 'resume', 'photos')
    assert.equal((await run()).operations, 0)
  })

  it("what that device's guard stops, a person there allows", async () => {
    for (let i = 0; i < 20; i++) writeFileSync(join(photos, `f${i}`), String(i))
    await run()
    for (let i = 0; i < 15; i++) rmSync(join(photos, `f${i}`))
    const before = look(backup)
    assert.equal((await ada.run('sync', 'run', 'photos')).code, 4)
    // A person at either end sees that it is halted, and where to say what.
    assert.match(await bob.ok('sync', 'status', 'photos'), /driven by ada.*\n.*halted, nothing was changed.*On ada: /)
    assert.match(
      (await bob.run('sync', 'run', 'photos')).stdout,
      /changed: ada: 15 of[\s\S]*\nOn ada: What it would do/
    )
    assert.equal((await ended('--force')).reason, 'guard-of-other-device')
    assert.deepEqual(look(backup), before)
    const [halted] = (await status(bob)).served
    assert.deepEqual([halted?.state, halted?.advice], ['halted', 'spacedrive sync allow photos'])
    // Which words, and where: the one stopped by both needs both.
    assert.match(
      (await ended('--force')).hint!,
      /`spacedrive sync allow photos` on that device, then `spacedrive sync run /
    )
    assert.match(
      (await bob.run('sync', 'allow', 'photos')).stderr,
      /On ada: `spacedrive sync run photos`, with --force/
    )
    assert.equal((await run('--force')).state, 'converged')
    assert.deepEqual(look(backup), look(photos))
  })

  it('paused there, or its folder elsewhere: it says so, and nothing is written', async () => {
    await bob.ok('sync', 'pause', 'photos')
    const paused = await ended()
    assert.deepEqual([paused.state, paused.reason], ['waiting', 'PAUSED'])
    assert.match(paused.hint!, /There: `spacedrive sync resume photos`/)
    assert.match((await bob.run('sync', 'run', 'photos')).stderr, /paused on this device[\s\S]*sync resume photos/)
    assert.match((await bob.run('sync', 'plan', 'photos')).stderr, /paused on this device/)
    assert.match(await bob.ok('sync', 'resume', 'photos'), /takes part in photos again, as ada drives it/)
    await ada.ok('sync', 'pause', 'photos')
    assert.match(
      await bob.ok('sync', 'status', 'photos'),
      /paused: only `sync run`.*On ada: `spacedrive sync resume photos`/
    )
    await ada.ok('sync', 'resume', 'photos')
    renameSync(backup, `${backup}.away`)
    const missing = await ended()
    assert.deepEqual([missing.state, missing.reason], ['halted', 'root-missing'])
    mkdirSync(backup)
    const replaced = await ended()
    assert.deepEqual([replaced.state, replaced.reason], ['halted', 'root-replaced'])
    assert.deepEqual(readdirSync(backup), [])
    rmSync(backup, { recursive: true })
    renameSync(`${backup}.away`, backup)
    assert.equal((await run()).state, 'converged')
  })

  it('removed there, it is over at both; files stay', async () => {
    const before = look(backup)
    await bob.ok('sync', 'remove', 'photos')
    assert.equal((await ended()).reason, 'refused')
    assert.deepEqual(look(backup), before)
    assert.deepEqual((await status(bob)).served, [])
    assert.match(await bob.ok('network', 'grants'), /No device may reach/)
    await ada.ok('sync', 'remove', 'photos')
  })

  it('a device that is revoked: which syncs ended is said here, and there that it is not known any more', async () => {
    await ada.ok('sync', 'add', 'last', photos, `bob:${backup}`, '--mode', 'replica', '--manual')
    const accepted = await ada.listen('sync:accepted')
    await untilAsked()
    await bob.ok('sync', 'accept', String((await bob.json<Requests>('sync', 'requests')).requests[0]!.id))
    await accepted.next(() => true)
    accepted.close()
    const troubled = await bob.listen('device:troubled')
    const { stderr } = await ada.run('network', 'revoke', 'bob')
    assert.match(stderr, /Syncs with it have ended, files and versions are where they were: last\./)
    await troubled.next(() => true)
    troubled.close()
    assert.match(await bob.ok('sync', 'status', 'last'), /ada does not know this device any more.*sync remove last/)
    const { code, stderr: away } = await bob.run('file', 'list', 'ada:/tmp')
    assert.equal(code, 6)
    assert.match(away, /ada cannot be reached: it does not know this device any more/)
  })
})
