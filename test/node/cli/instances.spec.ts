import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { HEAP_FLAGS } from '../../../node/cli/local/spawn-daemon.js'
import { findPlace } from '../../../node/instance/index.js'
import { openSqlite } from '../../../storage/sql/index.js'
import { processEnded, type TestInstance, testInstance } from '../../cli.js'
import { tempDir } from '../../temp.js'

interface Found {
  name: string
  state: string
  pid: number | null
  problem: { code: string; message: string; hint: string | null } | null
}

describe('instances', () => {
  let temp: ReturnType<typeof tempDir>
  const made: TestInstance[] = []
  const instance = (dataDir: string, env: NodeJS.ProcessEnv = {}): TestInstance => {
    mkdirSync(dirname(dataDir), { recursive: true })
    const one = testInstance('x', { dataDir, env })
    made.push(one)
    return one
  }
  beforeEach(() => {
    temp = tempDir()
  })
  afterEach(async () => {
    for (const one of made.splice(0)) await one.clean()
    temp.clean()
  })

  it('several run side by side, and each is listed as what it is', async () => {
    const base = instance(temp.path)
    const none = await base.run('instance', 'list')
    assert.equal(none.stdout, `No instance was ever started in ${temp.path}.\n`)
    assert.match(none.stderr, /--data-dir/)
    const alice = instance(join(temp.path, 'instance-alice'))
    const bob = instance(join(temp.path, 'instance-bob'))
    await base.ok('start')
    await base.ok('--instance', 'alice', 'start')
    await base.ok('--instance', 'bob', 'start')
    await bob.kill()
    await base.ok('instance', 'stop', 'default')
    const list = async (): Promise<string[]> =>
      (await base.json<{ instances: Found[] }>('instance', 'list')).instances.map(i => `${i.name} ${i.state}`)
    assert.deepEqual(await list(), ['default stopped', 'alice running', 'bob dead'])
    assert.equal((await alice.json<{ running: boolean }>('daemon', 'status')).running, true)
    await base.ok('instance', 'stop', 'alice')
    assert.deepEqual(await list(), ['default stopped', 'alice stopped', 'bob dead'])
    const gone = await base.run('instance', 'stop', 'alice')
    assert.match(gone.stderr, /instance list/)
    assert.doesNotMatch(gone.stderr, /Start it with/)
    assert.equal(gone.code, 5)
    assert.match(gone.stderr, /is not running/)
  })

  it('one that lost its database is listed all the same, with what is wrong and the way on', async () => {
    const base = instance(temp.path)
    const named = instance(join(temp.path, 'instance-alice'))
    await base.ok('start')
    await base.ok('--instance', 'alice', 'start')
    await base.ok('stop')
    await base.ok('--instance', 'alice', 'stop')
    for (const { dataDir } of [base, named]) renameSync(join(dataDir, 'instance.db'), join(dataDir, 'away.db'))
    const { instances } = await base.json<{ instances: Found[] }>('instance', 'list')
    assert.deepEqual(
      instances.map(i => [i.name, i.state, i.problem?.code]),
      [
        ['default', 'stopped', 'DATABASE_LOST'],
        ['alice', 'stopped', 'DATABASE_LOST']
      ]
    )
    const { stdout, stderr } = await base.run('instance', 'list')
    assert.match(stdout, /default +stopped/)
    assert.match(stderr, /default: the database \S+ is not there, and an instance lived here: .*--new-database/)
    const typed = `spacedrive --data-dir ${base.dataDir}`
    const refused = await base.run('--instance', 'alice', 'start')
    for (const said of [refused.stderr, stderr])
      assert.ok(said.includes(`\`${typed} --instance alice start --new-database\``), said)
    assert.ok(stderr.includes(`\`${typed} start --new-database\``), stderr)
    for (const { dataDir } of [base, named]) renameSync(join(dataDir, 'away.db'), join(dataDir, 'instance.db'))
    const whole = await base.json<{ instances: Found[] }>('instance', 'list')
    assert.deepEqual(
      whole.instances.map(i => i.problem),
      [null, null]
    )
  })

  it('a path too long for a socket works all the same, and is found from another shell', async () => {
    const long = instance(join(temp.path, 'd'.repeat(100), 'e'.repeat(100)))
    await long.ok('start')
    const { socket } = findPlace(long.dataDir)!
    assert.ok(Buffer.byteLength(socket) < 108)
    assert.equal(statSync(dirname(socket)).mode & 0o777, 0o700)
    assert.equal(
      (await long.json<{ running: boolean }>('status', { env: { XDG_RUNTIME_DIR: '/nowhere' } })).running,
      true
    )
    await long.ok('stop')
    assert.equal(statSync(dirname(socket), { throwIfNoEntry: false }), undefined)
  })

  it('the runtime directory holds the socket, the data directory tells where', async () => {
    const runtime = join(temp.path, 'run')
    mkdirSync(runtime, { mode: 0o700 })
    const one = instance(join(temp.path, 'data'), { XDG_RUNTIME_DIR: runtime })
    await one.ok('start')
    assert.equal(dirname(findPlace(one.dataDir)!.socket), join(runtime, 'spacedrive'))
    // Another name of the same directory, and none of the variables of the first shell.
    symlinkSync(one.dataDir, join(temp.path, 'link'))
    const other = instance(join(temp.path, 'link'))
    assert.equal((await other.json<{ running: boolean }>('status')).running, true)
    assert.equal((await other.json<{ started: boolean }>('start')).started, false)
  })

  it('a socket that somebody answers on is never taken away', async () => {
    mkdirSync(join(temp.path, 'data'), { mode: 0o700 })
    const path = join(temp.path, 'data', 'daemon.sock')
    const server = createServer(socket => socket.destroy()).listen(path)
    await once(server, 'listening')
    try {
      const one = instance(join(temp.path, 'data'))
      const result = await one.run('start')
      assert.equal(result.code, 1)
      assert.match(result.stderr, /another program answers on it/)
      assert.equal(statSync(path).isSocket(), true)
    } finally {
      server.close()
    }
  })

  for (const [what, make] of [
    ['a file', (path: string) => writeFileSync(path, 'mine')],
    ['a link', (path: string) => symlinkSync('/etc/hostname', path)]
  ] as const) {
    it(`${what} where the socket should be is refused and stays`, async () => {
      mkdirSync(join(temp.path, 'data'), { mode: 0o700 })
      const path = join(temp.path, 'data', 'daemon.sock')
      make(path)
      const before = statSync(path).size
      const result = await instance(join(temp.path, 'data')).run('start')
      assert.equal(result.code, 1)
      assert.match(result.stderr, /something else stands there/)
      assert.equal(statSync(path).size, before)
    })
  }

  it('a hostile place file is taken for none', async () => {
    mkdirSync(join(temp.path, 'data'), { mode: 0o700 })
    const one = instance(join(temp.path, 'data'))
    for (const text of [
      '{',
      '[]',
      'null',
      '{"socket":"relative","pid":1}',
      `{"socket":"/x","pid":"1"}`,
      'x'.repeat(20_000)
    ]) {
      writeFileSync(join(one.dataDir, 'daemon.json'), text)
      assert.equal((await one.run('status')).code, 5, text.slice(0, 40))
    }
    await one.ok('start')
  })

  it('a daemon in the foreground stops at Ctrl-C, in order', async () => {
    const one = instance(join(temp.path, 'data'))
    const running = one.begin('--json', 'start', '--foreground')
    const { pid } = JSON.parse(await running.line(/"started":true/)) as { pid: number }
    assert.equal(pid, running.child.pid)
    if (process.platform === 'linux') {
      assert.match(readFileSync(`/proc/${pid}/cmdline`, 'latin1'), new RegExp(HEAP_FLAGS.join('\0')))
      assert.match(readFileSync(`/proc/${pid}/environ`, 'latin1'), /MALLOC_ARENA_MAX=/)
    }
    running.child.kill('SIGINT')
    const result = await running.ended
    assert.equal(result.code, 0)
    assert.match(result.stderr, /"msg":"stopped"/)
    assert.equal(findPlace(one.dataDir), undefined)
  })

  it('a background daemon outlives the end of its terminal, and SIGTERM stops it in order', async () => {
    const one = instance(join(temp.path, 'data'))
    await one.ok('start')
    const { pid } = findPlace(one.dataDir)!
    process.kill(pid, 'SIGHUP')
    assert.equal((await one.json<{ pid: number }>('status')).pid, pid)
    const stopping = await one.listen('daemon:stopping')
    process.kill(pid, 'SIGTERM')
    assert.equal((await stopping.next()).reason, 'SIGTERM')
    await processEnded(pid)
    assert.equal(findPlace(one.dataDir), undefined)
    assert.match(readFileSync(join(one.dataDir, 'logs', 'daemon.log'), 'utf8'), /"msg":"stopped"/)
  })

  it('Ctrl-C of a client ends its call, and the client with 130', async () => {
    const one = instance(join(temp.path, 'data'))
    await one.ok('start')
    const monitor = one.begin('--json', 'system', 'logs', '--follow')
    await monitor.line(/"msg":"started"/)
    monitor.child.kill('SIGINT')
    assert.equal((await monitor.ended).code, 130)
    assert.equal((await one.json<{ running: boolean }>('status')).running, true)
  })

  it('restart keeps the options of the network; a start that names others replaces them', async () => {
    const one = instance(join(temp.path, 'data'))
    const loopback = async (): Promise<unknown[]> => {
      const { value, source } = await one.json<{ value: unknown; source: string }>('config', 'get', 'network.loopback')
      return [value, source]
    }
    const enabled = async (): Promise<unknown> =>
      (await one.json<{ value: unknown }>('config', 'get', 'network.enabled')).value
    await one.ok('start', '--enable-networking', '--loopback')
    assert.deepEqual(await loopback(), [true, 'flag'])
    await one.kill()
    await one.ok('start')
    assert.deepEqual([await enabled(), ...(await loopback())], [true, true, 'flag'])
    await one.ok('restart')
    assert.deepEqual(await loopback(), [true, 'flag'])
    await one.ok('restart', '--no-mdns', '--loopback', '--listen', '/ip4/127.0.0.1/tcp/0')
    const listen = await one.json<{ value: unknown }>('config', 'get', 'network.listen')
    assert.deepEqual([listen.value, await enabled()], [['/ip4/127.0.0.1/tcp/0'], true])
  })

  it('secrets of the environment stay out of the arguments, the environment and the log of the daemon', async () => {
    const one = instance(join(temp.path, 'data'))
    const secret = 'hunter2-hunter2'
    await one.ok('-v', 'start', { env: { SPACEDRIVE_PASSWORD: secret, DUMP_SESSION_KEYS: '1' } })
    const { pid } = findPlace(one.dataDir)!
    assert.equal(readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(secret), false)
    for (const name of ['daemon.log', 'output.log']) {
      assert.equal(readFileSync(join(one.dataDir, 'logs', name), 'utf8').includes(secret), false)
    }
    assert.equal((await one.ok('--json', 'status')).includes(secret), false)
  })

  it('what a crash left on standard error is in the log after the next start', async () => {
    const one = instance(join(temp.path, 'data'))
    mkdirSync(join(one.dataDir, 'logs'), { recursive: true, mode: 0o700 })
    writeFileSync(join(one.dataDir, 'logs', 'output.log'), 'FATAL ERROR: \u001b[31mheap\n')
    await one.ok('start')
    const logs = await one.ok('system', 'logs')
    assert.match(logs, /FATAL ERROR: \\x1b\[31mheap/)
    assert.equal(statSync(join(one.dataDir, 'logs', 'output.log')).size, 0)
  })

  it('an error that nobody caught is logged, and the daemon ends in order with exit code 1', async () => {
    const dataDir = join(temp.path, 'data')
    const code = `
      import { runDaemonProcess } from ${JSON.stringify(new URL('../../../node/daemon/index.js', import.meta.url).href)}
      process.exit(await runDaemonProcess({ dataDir: ${JSON.stringify(dataDir)}, flags: {} }, {
        background: true,
        onReady: () => setImmediate(() => { throw new TypeError('nobody expected this') })
      }))`
    const script = join(temp.path, 'daemon.mjs')
    writeFileSync(script, code)
    const child = spawn(process.execPath, [script], { stdio: 'ignore' })
    const [exit] = await once(child, 'close')
    assert.equal(exit, 1)
    const log = readFileSync(join(dataDir, 'logs', 'daemon.log'), 'utf8')
    assert.match(log, /nobody expected this/)
    assert.match(log, /"msg":"stopped"/)
    assert.equal(findPlace(dataDir), undefined)
  })

  it('a part that fails after `start` has returned: it is in the log, and the daemon ends in order', async () => {
    const one = instance(join(temp.path, 'data'))
    await one.ok('start')
    await one.ok('stop')
    // Read by the drops when they start, which is after the local parts: nothing before that misses it.
    const sql = openSqlite(join(one.dataDir, 'instance.db'))
    sql.exec('ALTER TABLE offers RENAME TO lost')
    sql.close()
    const { stdout } = await one.run('--json', 'start')
    const { pid } = JSON.parse(stdout) as { pid: number }
    await processEnded(pid)
    const log = readFileSync(join(one.dataDir, 'logs', 'daemon.log'), 'utf8')
    assert.match(log, /a part could not start; the daemon stops/)
    assert.match(log, /no such table: offers/)
    assert.match(log.trimEnd().split('\n').at(-1)!, /"msg":"stopped"/)
    assert.equal(findPlace(one.dataDir), undefined)
  })
})
