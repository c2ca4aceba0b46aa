import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { EventOf } from '../../../storage/base/index.js'
import type { RunReport } from '../../../sync/session/index.js'
import type { Listening } from '../../cli.js'
import { type PairedDaemon, pairedDaemons } from '../../daemons.js'
import { look } from '../../sync/session/fixture.js'

type Finished = EventOf<'sync:finished'>

/** The syncs that these devices drive in the background: what ended, from the first one on. */
class Heard {
  readonly #listening: Listening<Finished>[] = []
  #wake = (): void => {}
  /** Of all runs that changed something. */
  operations = 0
  #new = 0

  add(listening: Listening<Finished>): void {
    this.#listening.push(listening)
    void (async () => {
      for (;;) {
        // It may be long until the next one.
        const finished = await listening.next().catch(() => undefined)
        if (finished === undefined) continue
        this.operations += finished.operations
        this.#new++
        this.#wake()
      }
    })()
  }

  /** A run has ended since this was called the last time. */
  async next(): Promise<void> {
    if (this.#new === 0) await new Promise<void>(resolve => (this.#wake = resolve))
    this.#new = 0
  }

  close(): void {
    for (const listening of this.#listening) listening.close()
  }
}

/** What all three syncs do about one change, with much to spare: it is made at two other devices, each of which may hear of it from both. */
const ECHO = 12

describe('three devices, each pair keeping the same folder in step by itself', () => {
  let daemons: PairedDaemon[]
  let clean = async (): Promise<void> => {}
  const heard = new Heard()
  const folder = (who: number): string => join(daemons[who]!.downloads, 'notes')
  const at = (who: number, path: string): string => join(folder(who), path)
  const read = (who: number, path: string): string => readFileSync(at(who, path), 'utf8')
  const PAIRS = [
    [0, 1],
    [1, 2],
    [0, 2]
  ] as const

  before(async () => {
    const made = await pairedDaemons('ada', 'bob', 'cid')
    ;({ daemons, clean } = made)
    for (const who of [0, 1, 2]) {
      mkdirSync(folder(who), { recursive: true })
      writeFileSync(at(who, `of ${who}`), `made by ${who}`)
    }
    for (const name of ['f', 'g', 'h', 'k']) writeFileSync(at(0, name), `first ${name}`)
    mkdirSync(at(1, 'folder'))
    writeFileSync(at(1, 'folder/x'), 'x')
    const [ada, bob, cid] = daemons as [PairedDaemon, PairedDaemon, PairedDaemon]
    await ada.up()
    await bob.up(ada)
    await cid.up(ada, bob)
    for (const driver of [ada, bob]) heard.add(await driver.listen('sync:finished'))
    for (const [from, to] of PAIRS) await add(daemons[from]!, daemons[to]!, folder(from), folder(to))
  })
  after(async () => {
    heard.close()
    await clean()
  })

  async function add(driver: PairedDaemon, server: PairedDaemon, from: string, to: string): Promise<void> {
    const asked = await server.listen('sync:requested')
    const accepted = await driver.listen('sync:accepted')
    const there = `${server.name}:${to}`
    await driver.ok('sync', 'add', `${driver.name}-${server.name}`, from, there, '--mode', 'bidirectional')
    await asked.next()
    const { requests } = await server.json<{ requests: { id: number }[] }>('sync', 'requests')
    await server.ok('sync', 'accept', String(requests[0]!.id))
    await accepted.next()
    for (const events of [asked, accepted]) events.close()
  }

  const seen = (who: number) => look(folder(who), { times: false })
  const alike = (): boolean => isDeepStrictEqual(seen(1), seen(0)) && isDeepStrictEqual(seen(2), seen(0))

  /** All are alike, and a look at everything by each pair finds nothing left to do. */
  async function rest(): Promise<void> {
    for (;;) {
      while (!alike()) await heard.next()
      if (await nothingLeft()) return
    }
  }

  async function nothingLeft(): Promise<boolean> {
    for (const [from, to] of PAIRS) {
      const name = `${daemons[from]!.name}-${daemons[to]!.name}`
      const run = await daemons[from]!.run('sync', 'run', name, '--json')
      const { state, operations } = JSON.parse(run.stdout.trim().split('\n').at(-1)!) as RunReport
      // One that is at work in one of the folders is let go first.
      if (state !== 'converged' || operations > 0) return false
    }
    return alike()
  }

  /** No more is done about so many changes than has to be. */
  async function restAfter(changes: number, make: () => Promise<void> | void): Promise<void> {
    const before = heard.operations
    await make()
    await rest()
    const done = heard.operations - before
    assert.ok(done <= changes * ECHO, `${done} operations for ${changes} changes`)
  }

  it('what each of them has is at all of them', async () => {
    await rest()
    assert.deepEqual(Object.keys(seen(2)).sort(), ['f', 'folder', 'folder/x', 'g', 'h', 'k', 'of 0', 'of 1', 'of 2'])
  })

  it('an edit of an edit, a deletion and permission bits go round once', async () => {
    await restAfter(1, () => writeFileSync(at(0, 'f'), 'second f, of ada'))
    await restAfter(3, () => {
      writeFileSync(at(1, 'f'), 'third f, of bob')
      rmSync(at(2, 'g'))
      chmodSync(at(1, 'k'), 0o640)
    })
    for (const who of [0, 1, 2]) {
      assert.equal(read(who, 'f'), 'third f, of bob')
      assert.equal('g' in seen(who), false)
      assert.match(seen(who).k!, / 640$/)
    }
  })

  it('one that was away for long brings back nothing, its own is kept, and a conflict is one', async () => {
    const [ada, bob, cid] = daemons as [PairedDaemon, PairedDaemon, PairedDaemon]
    await cid.ok('stop')
    writeFileSync(at(0, 'k'), 'k of ada')
    writeFileSync(at(0, 'h'), 'h of ada')
    while (!isDeepStrictEqual(seen(1), seen(0))) await heard.next()
    rmSync(at(1, 'k'))
    renameSync(at(1, 'folder'), at(1, 'renamed'))
    writeFileSync(at(1, 'renamed/x'), 'x, edited')
    rmSync(at(0, 'of 2'))
    while (!isDeepStrictEqual(seen(1), seen(0))) await heard.next()
    writeFileSync(at(2, 'meanwhile'), 'of cid')
    writeFileSync(at(2, 'h'), 'h of cid, later')
    // Deletions of two files, a folder's move, an edit in it, a new file, and the conflict: a copy and its winner.
    await restAfter(8, () => cid.up(ada, bob))
    const copies = Object.keys(seen(0)).filter(name => name.startsWith('h.conflict'))
    assert.equal(copies.length, 1)
    assert.match(copies[0]!, /-ada$/)
    assert.equal(read(1, 'h'), 'h of cid, later')
    assert.equal(read(2, copies[0]!), 'h of ada')
    for (const name of ['k', 'folder', 'of 2']) assert.equal(name in seen(2), false, name)
    assert.equal(read(0, 'meanwhile'), 'of cid')
    assert.equal(read(2, 'renamed/x'), 'x, edited')
  })
})
