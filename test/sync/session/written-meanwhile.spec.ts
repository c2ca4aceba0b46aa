import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { look, openSync, type SyncFixture } from './fixture.js'

/** Appends numbered lines to a file without a pause, until it is told to stop; beyond some 30 MB it is slower: a file has to fit a string. */
const WRITER = `
  const { appendFileSync } = require('node:fs')
  let n = 0
  process.stdout.write('writing\\n')
  process.stdin.on('data', () => process.exit(0))
  setInterval(() => { for (let i = n < 15000 ? 0 : 19; i < 20; i++) appendFileSync(process.argv[1], \`line \${n++} \${'x'.repeat(2000)}\\n\`) }, 1)`

describe('a session while a program writes to a file', () => {
  let fixture: SyncFixture
  afterEach(() => fixture.close())

  it('what was there at one moment arrives, or nothing of it; the next run takes the rest', async () => {
    fixture = await openSync({ mode: 'mirror' })
    mkdirSync(join(fixture.source, 'calm'))
    for (let i = 0; i < 30; i++) writeFileSync(join(fixture.source, `calm/${i}`), `${i}`)
    const log = join(fixture.source, 'log')
    writeFileSync(log, 'begin\n'.repeat(200_000))
    const writer = spawn(process.execPath, ['-e', WRITER, log], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(writer.stdout, 'data')
    for (let run = 0; run < 3; run++) {
      const outcome = await fixture.run()
      assert.equal(outcome.state, 'done')
      if (outcome.state !== 'done') return
      for (const { path, code } of outcome.result.problems) assert.deepEqual([path, code], ['log', 'CHANGED'])
      const there = look(fixture.destination, { times: false })
      assert.equal(Object.keys(there).filter(p => p.startsWith('calm/')).length, 30, 'the rest goes on')
      if ('log' in there) {
        const copy = readFileSync(join(fixture.destination, 'log'), 'utf8')
        assert.ok(readFileSync(log, 'utf8').startsWith(copy), 'it held just that at one moment')
      }
    }
    writer.stdin.write('stop')
    await once(writer, 'exit')
    const last = await fixture.run()
    assert.deepEqual(last.state === 'done' && last.result.problems, [])
    assert.deepEqual(look(fixture.destination), look(fixture.source))
  })

  it('a file that is edited after the plan was made gets no bits and no time of what it was, and is taken by the next run', async () => {
    fixture = await openSync({ mode: 'bidirectional' })
    const [here, there] = [join(fixture.source, 'photo'), join(fixture.destination, 'photo')]
    writeFileSync(here, 'as it was')
    await fixture.run()
    chmodSync(here, 0o600)
    utimesSync(here, 1_000_000, 1_000_000)
    let edited = false
    const outcome = await fixture.run({
      async more() {
        if (!edited) writeFileSync(there, 'as it is')
        edited = true
        return undefined
      }
    })
    assert.ok(edited)
    assert.deepEqual(outcome.state === 'done' && outcome.result.problems.map(p => [p.path, p.code]), [
      ['photo', 'CHANGED']
    ])
    const next = await fixture.run()
    assert.deepEqual(next.state === 'done' && next.result.problems, [])
    assert.deepEqual([readFileSync(here, 'utf8'), readFileSync(there, 'utf8')], ['as it is', 'as it is'])
    assert.deepEqual(look(fixture.destination), look(fixture.source))
  })
})
