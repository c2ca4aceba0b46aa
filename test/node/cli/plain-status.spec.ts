import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { createTerminal } from '../../../node/cli/terminal.js'

/** Output that is no terminal: a file, a pipe, a log. */
function plain(statusEveryMs: number) {
  const written = new PassThrough({ encoding: 'utf8' })
  const stderr = written as unknown as NodeJS.WriteStream
  return { written, terminal: createTerminal({ json: false, stderr, statusEveryMs }) }
}

describe('a status without a terminal', () => {
  it('lines that belong together stay lines, and what is in them is escaped', () => {
    const { written, terminal } = plain(1_000)
    terminal.block(['laptop  networking on', '', 'a\u001b[31mname'])
    assert.equal(written.read(), 'laptop  networking on\n\na\\x1b[31mname\n')
  })

  it('a word that came too early is said in its time, and only the last one', async () => {
    const { written, terminal } = plain(50)
    terminal.status('Looking at what there is to send')
    assert.equal(written.read(), 'Looking at what there is to send\n')
    terminal.status('Offering it to bob')
    terminal.status('Waiting for an answer from bob')
    assert.equal(written.read(), null)
    await once(written, 'readable')
    assert.equal(written.read(), 'Waiting for an answer from bob\n')
  })

  it('what was held back is not said after the answer', async () => {
    const { written, terminal } = plain(1)
    terminal.status('one')
    terminal.status('two')
    terminal.note('done')
    // Whatever a timer of this length would still do is done by then.
    await new Promise(resolve => setTimeout(resolve, 10))
    assert.equal(written.read(), 'one\ndone\n')
  })
})
