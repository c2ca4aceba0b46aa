import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { findPlace, pidFile, placeFile } from '../../../node/instance/index.js'
import { type TestInstance, testInstance } from '../../cli.js'

interface Status {
  running: boolean
  pid: number
  ready: boolean
  network: { state: string }
  devices: unknown
  work: unknown
}

describe('start, status, stop', () => {
  let peer: TestInstance
  beforeEach(() => {
    peer = testInstance()
  })
  afterEach(() => peer.clean())

  it('a daemon starts in the background, answers and stops', async () => {
    const started = await peer.json<{ started: boolean; pid: number }>('start')
    assert.equal(started.started, true)
    const status = await peer.json<Status>('status')
    assert.deepEqual([status.pid, status.ready, status.network.state], [started.pid, true, 'off'])
    assert.deepEqual(
      [status.devices, status.work],
      [
        { paired: 0, connected: 0 },
        { jobs: [], transfers: 0 }
      ]
    )
    assert.equal(readFileSync(pidFile(peer.dataDir), 'utf8'), `${started.pid}\n`)
    await peer.ok('stop')
    assert.equal(existsSync(placeFile(peer.dataDir)), false)
    assert.equal(existsSync(pidFile(peer.dataDir)), false)
    const after = await peer.run('status')
    assert.equal(after.code, 5)
    assert.match(after.stderr, /is not running/)
    assert.match(after.stderr, /spacedrive --data-dir \S+ start/)
  })

  it('global options stand before or after the command', async () => {
    await peer.ok('start')
    const after = JSON.parse(await peer.ok('status', '--json')) as Status
    assert.equal(after.running, true)
  })

  it('a second start leaves the running one alone', async () => {
    const first = await peer.json<{ pid: number }>('start')
    const second = await peer.json<{ started: boolean; pid: number }>('start')
    assert.deepEqual([second.started, second.pid], [false, first.pid])
    const changed = await peer.run('start', '--enable-networking')
    assert.equal(changed.code, 1)
    assert.match(changed.stderr, /running already/)
    const foreground = await peer.run('start', '--foreground')
    assert.equal(foreground.code, 1)
    assert.match(foreground.stderr, /in use by another process/)
    assert.equal((await peer.json<Status>('status')).pid, first.pid)
  })

  it('two starts at once make one daemon', async () => {
    const both = await Promise.all([peer.json<{ pid: number }>('start'), peer.json<{ pid: number }>('start')])
    assert.equal(both[0].pid, both[1].pid)
  })

  it('what a killed daemon left is cleared by the next start', async () => {
    await peer.ok('start')
    const socket = findPlace(peer.dataDir)!.socket
    await peer.kill()
    assert.equal(statSync(socket).isSocket(), true)
    const dead = await peer.run('status')
    assert.equal(dead.code, 5)
    assert.match(dead.stderr, /ended without stopping/)
    await peer.ok('start')
    assert.equal((await peer.json<Status>('status')).running, true)
  })

  it('a lost database: no start and no command begins anew before it is said', async () => {
    await peer.ok('start')
    await peer.ok('stop')
    const file = join(peer.dataDir, 'instance.db')
    truncateSync(file, 0)
    for (const command of [['start'], ['start', '--foreground'], ['network', 'init', '--name', 'a']]) {
      const refused = await peer.run(...command)
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /instance\.db is empty, and an instance lived here: own[\s\S]*start --new-database/)
      assert.equal(statSync(file).size, 0)
    }
    await peer.ok('start', '--new-database')
    assert.equal((await peer.json<Status>('status')).running, true)
  })

  it('everything is closed to others under umask 000', async () => {
    const before = process.umask(0)
    try {
      await peer.ok('start')
    } finally {
      process.umask(before)
    }
    assert.equal(statSync(peer.dataDir).mode & 0o777, 0o700)
    assert.equal(statSync(findPlace(peer.dataDir)!.socket).mode & 0o777, 0o600)
    assert.equal(statSync(join(peer.dataDir, 'logs')).mode & 0o777, 0o700)
    assert.equal(statSync(join(peer.dataDir, 'logs', 'daemon.log')).mode & 0o777, 0o600)
  })
})
