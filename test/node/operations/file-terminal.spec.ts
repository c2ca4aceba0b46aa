import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { testInstance } from '../../cli.js'
import { onTerminal } from '../../pty.js'

describe('files on a terminal', () => {
  const instance = testInstance()
  const folder = `${instance.dataDir}-files`
  const at = (path: string): string => join(folder, path)
  const write = (tree: Readonly<Record<string, string>>): void => {
    for (const [path, content] of Object.entries(tree)) {
      mkdirSync(dirname(at(path)), { recursive: true })
      writeFileSync(at(path), content)
    }
  }
  before(() => instance.ok('start'))
  after(() => instance.clean())

  it('a copy asks about each file that exists, takes a capital for all, and does what was said', async () => {
    for (const n of ['a', 'b', 'c', 'd']) write({ [`from/${n}`]: `new ${n}`, [`to/from/${n}`]: `old ${n} there` })
    write({ 'from/free': 'free' })
    const seen = onTerminal(instance, ['file', 'copy', at('from'), at('to')])
    const asked = /from\/(.) exists: .*to come: /
    await seen.shows(asked)
    assert.equal(readFileSync(at('to/from/free'), 'utf8'), 'free', 'what nobody need be asked about is there')
    seen.type('x\r')
    await seen.shows('Type r, s or n.')
    seen.type('r\r')
    await seen.shows(/from\/b exists/)
    seen.type('s\r')
    await seen.shows(/from\/c exists/)
    seen.type('R\r')
    const { code, text } = await seen.ended
    assert.equal(code, 0, text)
    const contents = ['a', 'b', 'c', 'd'].map(n => readFileSync(at(`to/from/${n}`), 'utf8'))
    assert.deepEqual(contents, ['new a', 'old b there', 'new c', 'new d'])
  })

  it('what could not be copied is told with the result', async () => {
    write({ 'pipes/plain': 'x' })
    execFileSync('mkfifo', [at('pipes/a pipe')])
    const { code, stdout, stderr } = await instance.run('file', 'copy', at('pipes'), at('piped'))
    assert.equal(code, 3)
    assert.match(stdout + stderr, /1 problem:[\s\S]*pipes\/a pipe: .*pipe/)
  })

  it('a dot is no name of a folder to be deleted', async () => {
    write({ 'stays/x': 'x' })
    for (const dot of ['.', '..', './', '../']) {
      const { code, stderr } = await instance.run('file', 'delete', dot, { cwd: at('stays') })
      assert.equal(code, 2)
      assert.match(stderr, /folders go by their name/)
    }
    assert.equal(readFileSync(at('stays/x'), 'utf8'), 'x')
    const alone = await instance.run('file', 'copy', at('stays'))
    assert.deepEqual([alone.code, /where to\?/.test(alone.stderr)], [2, true])
  })
})
