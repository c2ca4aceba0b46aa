import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { localCommands } from '../../../node/cli/local/index.js'
import { operations } from '../../../node/operations/index.js'
import { MAIN, type TestInstance, testInstance } from '../../cli.js'

/** It would be the folder that one stands in. */
const EMPTY_PATH = /expected a path, got an empty one/

/** What a person gets who types something wrong, and what a program gets with `--json`; no daemon runs here. */
describe('usage', () => {
  let peer: TestInstance
  beforeEach(() => {
    peer = testInstance()
  })
  afterEach(() => peer.clean())

  for (const [why, args, text] of [
    ['an unknown command', ['stort'], /unknown command 'stort'[\s\S]*Did you mean start/],
    ['an unknown command, though help was asked for', ['stort', '--help'], /unknown command 'stort'/],
    ['an unknown second word', ['config', 'lst'], /unknown command 'lst'[\s\S]*Did you mean list/],
    ['an unknown option', ['start', '--foregroud'], /unknown option '--foregroud'[\s\S]*Did you mean --foreground/],
    ['a missing argument', ['config', 'get'], /missing required argument 'key'/],
    [
      'an argument too many',
      ['status', 'now'],
      /too many arguments[^\n]*\n {2}`spacedrive status --help` shows how it is used\.\n$/
    ],
    [
      'one too many of two words',
      ['network', 'limit', 'nas', '--up', '2M'],
      /\n {2}`spacedrive network limit --help` shows/
    ],
    ['a second word that is none', ['config', 'lst'], /\n {2}`spacedrive config --help` shows/],
    ['a missing value', ['system', 'logs', '--tail'], /argument missing/],
    ['a group without a command', ['config'], /Usage: spacedrive config/],
    ['a name that cannot be one', ['--instance', 'A/B', 'status'], /"A\/B" cannot be the name of an instance/],
    ['a number that is none', ['system', 'logs', '--tail', 'ten'], /--tail takes a number/],
    ['a limit that is none', ['sync', 'versions', 'x', '--limit', '1e3'], /from 1 to 10000 after --limit, got "1e3"/],
    ['a limit beyond all', ['file', 'trash', 'list', '--limit', '99999'], /from 1 to 10000 after --limit, got "99999"/],
    ['a limit of nothing', ['file', 'duplicates', '.', '--limit', '0'], /from 1 to 10000 after --limit, got "0"/],
    ['a tail that is none', ['system', 'audit', '--tail', 'all'], /from 1 to 10000 after --tail, got "all"/],
    [
      'no name of a run',
      ['sync', 'undo', 'x', 'nope'],
      /"nope" is no name of a run[\s\S]*sync status x --runs` lists them/
    ],
    ['too little of a run', ['sync', 'undo', 'x', '58b'], /"58b" is no name of a run/],
    [
      'no moment',
      ['sync', 'restore', 'x', 'f', '--at', 'then'],
      /after --at, got "then"[\s\S]*or a run of `sync versions`/
    ],
    ['no hash of a plan', ['sync', 'run', 'x', '--plan', 'af13'], /after --plan, got "af13"[\s\S]*sync plan x` tells/],
    ['no number of a request', ['sync', 'accept', 'x'], /expected the number of a sync[\s\S]*sync requests` shows/],
    ['nor one to be declined', ['sync', 'decline', '-'], /expected the number of a sync/],
    ['an empty path to be deleted', ['file', 'delete', ''], EMPTY_PATH],
    ['an empty path to copy to', ['file', 'copy', 'a', ''], EMPTY_PATH],
    ['an empty path of a sync', ['sync', 'add', 'x', '', '/b', '--mode', 'mirror'], EMPTY_PATH],
    ['an empty path to be granted', ['network', 'grant', 'nas', '', '--read'], EMPTY_PATH],
    ['a terminal escape in a word', ['\u001b[31mred'], /unknown command '\\x1b\[31mred'/]
  ] as const) {
    it(`${why} is exit code 2, on standard error`, async () => {
      const result = await peer.run(...args)
      assert.deepEqual([result.code, result.stdout], [2, ''])
      assert.match(result.stderr, text)
      assert.doesNotMatch(result.stderr, /\u001b/)
    })
  }

  it('with --json an error is one line on standard output', async () => {
    for (const [args, code, exit] of [
      [['stort'], 'USAGE', 2],
      [['--instance', 'A/B', 'status'], 'USAGE', 2],
      [['config', 'get', 'nothing'], 'UNKNOWN_SETTING', 2],
      [['status'], 'DAEMON_NOT_RUNNING', 5],
      [['stop'], 'DAEMON_NOT_RUNNING', 5]
    ] as const) {
      const result = await peer.run('--json', ...args)
      assert.deepEqual([result.code, result.stderr], [exit, ''])
      assert.match(result.stdout, /^[^\n]*\n$/)
      const { error } = JSON.parse(result.stdout) as { error: { code: string; message: string } }
      assert.equal(error.code, code)
      assert.ok(error.message.length > 10)
    }
  })

  it('the hint of a daemon that does not run can be typed as it is', async () => {
    const result = await peer.run('--instance', 'alice', 'status')
    assert.equal(result.code, 5)
    assert.ok(result.stderr.includes(`spacedrive --data-dir ${peer.dataDir} --instance alice start`), result.stderr)
  })

  it('help is success and stands on standard output', async () => {
    for (const args of [['--help'], ['config', '--help'], ['config', 'set', '--help']]) {
      const result = await peer.run(...args)
      assert.deepEqual([result.code, result.stderr], [0, ''])
      assert.match(result.stdout, /Usage: spacedrive/)
      assert.match(result.stdout, /Examples?:\n {2}\$ spacedrive/)
    }
    assert.match((await peer.run('--version')).stdout, /^\d+\.\d+\.\d+\n$/)
  })

  it('every command has a summary and an example that begins with its words', () => {
    const commands = [
      ...localCommands,
      ...operations.flatMap(o => (o.command === undefined ? [] : [{ ...o.command, summary: o.summary }]))
    ]
    const paths = commands.flatMap(c => [c.path, ...(c.aliases ?? [])])
    assert.equal(new Set(paths).size, paths.length, 'two commands of one name')
    for (const { path, aliases = [], summary, examples } of commands) {
      assert.ok(summary.length > 10 && !summary.endsWith('.'), `${path}: ${summary}`)
      assert.ok(examples.length > 0, path)
      for (const example of examples) {
        const plain = example.replace(/ --?(instance|data-dir) \S+| --json| -v/g, '')
        assert.ok(
          [path, ...aliases].some(words => `| ${plain}`.includes(`| spacedrive ${words}`)),
          `${path}: ${example}`
        )
      }
    }
  })

  it('settings are read and written without a daemon', async () => {
    const set = await peer.json<{ value: unknown; takesEffect: string }>('config', 'set', 'network.mdns', 'off')
    assert.deepEqual([set.value, set.takesEffect], [false, 'now'])
    assert.equal(await peer.ok('config', 'get', 'network.mdns'), 'false\n')
    assert.equal(await peer.ok('config', 'path'), `${peer.dataDir}/config.json\n`)
    const listen = ['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0']
    await peer.ok('config', 'set', 'network.listen', ...listen)
    const { settings } = await peer.json<{ settings: { key: string; value: unknown }[] }>('config', 'list')
    assert.deepEqual(settings.find(s => s.key === 'network.listen')?.value, listen)
    await peer.ok('config', 'set', 'network.listen', '--default')
    const overridden = await peer.run('config', 'set', 'network.mdns', 'on', { env: { SPACEDRIVE_NETWORK_MDNS: '0' } })
    assert.match(overridden.stderr, /environment variable wins/)
    const none = await peer.run('config', 'set', 'network.mdns')
    assert.equal(none.code, 2)
    const wrong = await peer.run('config', 'set', 'log.level', 'loud')
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /one of debug, info, warn, error/)
  })

  it('a broken configuration stops the start and says where', async () => {
    mkdirSync(peer.dataDir, { recursive: true })
    writeFileSync(join(peer.dataDir, 'config.json'), '{\n  "network": { "mdns": tru }\n}\n')
    for (const args of [['start'], ['start', '--foreground'], ['config', 'list']]) {
      const result = await peer.run(...args)
      assert.equal(result.code, 1)
      assert.match(result.stderr, /config\.json: line 2, column 24/)
      assert.match(result.stderr, /move it away/)
    }
  })

  it('an argument that is not UTF-8 comes through to the byte', () => {
    // Node cannot hand such an argument to a child; a shell can.
    const script = 'exec "$0" "$1" --json --data-dir "$2" config get "$(printf "a\\377b")"'
    const result = spawnSync('/bin/sh', ['-c', script, process.execPath, MAIN, peer.dataDir], { encoding: 'utf8' })
    assert.equal(result.status, 2, result.stderr)
    const { error } = JSON.parse(result.stdout) as { error: { message: string } }
    assert.equal(error.message, 'there is no setting "a\\xffb"')
    const dir = 'exec "$0" "$1" --data-dir "$2$(printf "\\377")" config path'
    const refused = spawnSync('/bin/sh', ['-c', dir, process.execPath, MAIN, peer.dataDir], { encoding: 'utf8' })
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, /\\xff is not valid UTF-8/)
  })

  it('colours stay off where nobody looks', async () => {
    const result = await peer.run('config', 'list', { env: { FORCE_COLOR: '1', TERM: 'xterm-256color' } })
    assert.doesNotMatch(result.stdout, /\u001b/)
  })

  it('a reader that leaves early is no failure', async () => {
    const running = peer.begin('config', 'list')
    running.child.stdout.destroy()
    assert.equal((await running.ended).code, 0)
  })
})
