import assert from 'node:assert/strict'
import type { Terminal } from '../../../node/operations/operation.js'
import { syncAdd } from '../../../node/operations/sync-add.js'
import { showRun } from '../../../node/operations/sync-text.js'
import type { RunReport } from '../../../sync/session/index.js'

/** @returns the lines that are shown */
function shown(show: (terminal: Terminal) => void): string[] {
  const lines: string[] = []
  show({ line: (text = '') => lines.push(text) } as unknown as Terminal)
  return lines
}

describe('a sync in words', () => {
  const waiting: RunReport = {
    ...{ sync: 'photos', state: 'waiting', operations: 0, bytesTransferred: 0, conflicts: [], problems: [] },
    ...{ durationMs: 1, reason: 'NOT_ACCEPTED', halts: ['desktop has not accepted it yet'], hint: 'Accept it there.' }
  }

  it('a run that waits says for what, and what helps', () => {
    assert.deepEqual(
      shown(terminal => showRun(waiting, terminal)),
      ['Waiting: desktop has not accepted it yet.', 'Accept it there.']
    )
    const { hint: _, ...away } = { ...waiting, operations: 1_200, halts: ['desktop is away'] }
    assert.deepEqual(
      shown(terminal => showRun(away, terminal)),
      ['Waiting after 1,200 done: desktop is away.']
    )
  })

  it('one that another device is asked for does not run before that is accepted, and says so', () => {
    const added = { sync: 'photos', manual: false, source: '/a', destination: 'desktop:/b' }
    const last = (asked: string | null): string =>
      shown(terminal => syncAdd.command!.render!({ ...added, asked } as never, terminal)).at(-1)!
    assert.match(last('desktop'), /^It runs by itself once that is accepted, on each change;/)
    assert.match(last(null), /^It runs by itself from now on, on each change;/)
  })
})
