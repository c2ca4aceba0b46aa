import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLogFile } from '../../../node/daemon/log-file.js'
import { tempDir } from '../../temp.js'

describe('the log file', () => {
  let temp: ReturnType<typeof tempDir>
  beforeEach(() => {
    temp = tempDir()
  })
  afterEach(() => temp.clean())
  const at = (name: string): string => join(temp.path, name)

  it('begins anew at its limit and keeps so many before it, no more', () => {
    const log = openLogFile(at('log'), 100, 3)
    for (let i = 0; i < 50; i++) log.write(`${String(i).padStart(19)}\n`)
    log.close()
    assert.deepEqual(readdirSync(temp.path).sort(), ['log', 'log.1', 'log.2', 'log.3'])
    const all = ['log.3', 'log.2', 'log.1', 'log'].flatMap(n => readFileSync(at(n), 'utf8').trimEnd().split('\n'))
    assert.deepEqual(
      all.map(Number),
      Array.from({ length: 20 }, (_, i) => 30 + i)
    )
    for (const name of readdirSync(temp.path)) {
      assert.ok(statSync(at(name)).size <= 100)
      assert.equal(statSync(at(name)).mode & 0o777, 0o600)
    }
  })

  it('a line that is larger than the limit is still written whole', () => {
    const log = openLogFile(at('log'), 10, 1)
    log.write('a line that is longer\n')
    log.close()
    assert.equal(readFileSync(at('log'), 'utf8'), 'a line that is longer\n')
  })

  it('goes on where the last process stopped', () => {
    writeFileSync(at('log'), 'x'.repeat(95))
    const log = openLogFile(at('log'), 100, 2)
    log.write('123456\n')
    log.close()
    assert.equal(readFileSync(at('log'), 'utf8'), '123456\n')
    assert.equal(statSync(at('log.1')).size, 95)
  })

  it('a link in its place is not followed', () => {
    writeFileSync(at('victim'), 'mine')
    symlinkSync(at('victim'), at('log'))
    assert.throws(() => openLogFile(at('log')), { code: 'ELOOP' })
    assert.equal(readFileSync(at('victim'), 'utf8'), 'mine')
  })

  it('a disk that is full costs lines, never an exception', () => {
    assert.ok(existsSync('/dev/full'))
    const full = openLogFile('/dev/full')
    full.write('lost\n')
    full.close()
  })
})
