import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Disk, nodeDisk } from '../../../storage/files/index.js'
import { type HistoryFixture, openHistory } from '../history/fixture.js'

const [CAME, EDITED] = ['as it came', 'as it was edited']

/** The real disk; at the first call after a file got its name somebody writes to it. */
function meddling(path: () => string | undefined): Disk {
  let edited = false
  return new Proxy(nodeDisk(), {
    get(disk, name: keyof Disk) {
      const value = disk[name]
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const at = path()
        if (!edited && at !== undefined && existsSync(at) && readFileSync(at, 'utf8') === CAME) {
          edited = true
          writeFileSync(at, EDITED)
        }
        return (value as (...a: unknown[]) => unknown)(...args)
      }
    }
  })
}

describe('a file that is edited in the moment in which a sync has brought it', () => {
  let fixture: HistoryFixture
  let at: string | undefined
  beforeEach(async () => {
    at = undefined
    fixture = await openHistory({ mode: 'bidirectional', disk: meddling(() => at) })
    at = join(fixture.destination, 'photo')
    writeFileSync(join(fixture.source, 'photo'), CAME)
    await fixture.run()
    assert.equal(readFileSync(at, 'utf8'), EDITED)
  })
  afterEach(() => fixture.close())

  it('the edit goes back with the next run', async () => {
    assert.equal((await fixture.run()).state, 'converged')
    assert.equal(readFileSync(join(fixture.source, 'photo'), 'utf8'), EDITED)
    assert.equal(readFileSync(at!, 'utf8'), EDITED)
  })

  it('it outlives that what came was deleted where it came from', async () => {
    rmSync(join(fixture.source, 'photo'))
    assert.equal((await fixture.run()).state, 'converged')
    for (const root of [fixture.source, fixture.destination])
      assert.equal(readFileSync(join(root, 'photo'), 'utf8'), EDITED)
  })
})
