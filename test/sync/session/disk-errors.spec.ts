import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Disk, nodeDisk } from '../../../storage/files/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import type { RunReport } from '../../../sync/session/index.js'
import { type HistoryFixture, openHistory } from '../history/fixture.js'
import { contents, look } from './fixture.js'

/** Some of the moments here; SYNC_FAULTS=all: each. */
const STEP = process.env.SYNC_FAULTS === 'all' ? 1 : 11

/** One thing, or all of its file system. */
type Way = 'sync' | 'syncAll'

/** The real disk. What is to become durable fails from the `from`-th time on, `times` times. */
class Failing {
  #from = Number.POSITIVE_INFINITY
  #times = 0
  readonly #ways: readonly Way[]
  /** Calls since `fail`. */
  calls = 0

  constructor(ways: readonly Way[] = ['sync', 'syncAll']) {
    this.#ways = ways
  }

  fail(from: number, times: number): void {
    this.calls = 0
    this.#from = from
    this.#times = times
  }

  disk(): Disk {
    const disk = nodeDisk()
    const guarded =
      <A extends unknown[]>(call: (...args: A) => void) =>
      (...args: A): void => {
        const n = this.calls++
        if (n >= this.#from && n < this.#from + this.#times)
          throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' })
        call(...args)
      }
    return { ...disk, ...Object.fromEntries(this.#ways.map(way => [way, guarded(disk[way] as () => void)])) }
  }
}

describe('a disk that reports errors while a sync writes', () => {
  let fixture: HistoryFixture
  afterEach(() => fixture.close())

  for (const mode of ['bidirectional', 'mirror'] as Mode[])
    it(`${mode}: one error is tried again at once; more halt it, nothing is lost or half, and it goes on when they end`, async () => {
      const failing = new Failing()
      fixture = await openHistory({ mode, disk: failing.disk() })
      const { source, destination } = fixture
      const put = (path: string, text: string): void => {
        mkdirSync(join(source, path, '..'), { recursive: true })
        writeFileSync(join(source, path), text)
      }
      for (const path of ['a', 'b', 'd/c', 'x', 'y']) put(path, path)
      assert.equal((await fixture.run()).state, 'converged')
      // Something of each kind: new, replaced, gone, moved, names that changed places.
      const edit = (n: number): void => {
        put(`new ${n}`, `new ${n}`)
        put('a', `edited ${n}`)
        put(`d/gone ${n + 1}`, `gone ${n + 1}`)
        rmSync(join(source, `d/gone ${n}`), { force: true })
        renameSync(join(source, 'x'), join(source, 'aside'))
        renameSync(join(source, 'y'), join(source, 'x'))
        renameSync(join(source, 'aside'), join(source, 'y'))
      }
      const run = async (): Promise<RunReport> => {
        const job = await fixture.syncs.begin(fixture.sync())
        const info = await fixture.outcome(job)
        return info.output as unknown as RunReport
      }
      edit(0)
      failing.fail(Number.POSITIVE_INFINITY, 0)
      assert.equal((await fixture.run()).state, 'converged')
      const all = failing.calls
      assert.ok(all > 8, String(all))
      for (let n = 1; n < all; n += STEP) {
        const had = contents(destination)
        for (const times of [1, Number.POSITIVE_INFINITY]) {
          edit(n * 2 + (times === 1 ? 0 : 1))
          failing.fail(n, times)
          const report = await run()
          const when = `${times === 1 ? 'once' : 'for ever'} from ${n} of ${all}: ${JSON.stringify(report)}`
          // Of what fails last all may have been done by then.
          if (times === 1 || (n > all / 2 && report.state === 'converged'))
            assert.equal(report.state, 'converged', when)
          else {
            assert.deepEqual([report.state, report.reason], ['halted', 'disk-errors'], when)
            assert.deepEqual(
              await fixture.history.thin(fixture.sync()),
              {},
              'no version goes while the disk has errors'
            )
          }
          failing.fail(Number.POSITIVE_INFINITY, 0)
          for (const content of had) assert.ok(contents(destination).has(content), when)
          assert.equal((await fixture.run()).state, 'converged', when)
          assert.deepEqual(look(destination, { times: false }), look(source, { times: false }), when)
        }
      }
    })
  it('many new files, whose content and whose names become durable at once', async () => {
    const failing = new Failing(['syncAll'])
    fixture = await openHistory({ mode: 'mirror', disk: failing.disk() })
    const { source, destination } = fixture
    const write = (round: number): void => {
      for (let i = 0; i < 20; i++) writeFileSync(join(source, `${round} ${i}`), `${round} ${i}`)
    }
    const run = async () => (await fixture.outcome(await fixture.syncs.begin(fixture.sync()))).output as unknown
    write(0)
    failing.fail(Number.POSITIVE_INFINITY, 0)
    assert.equal((await fixture.run()).state, 'converged')
    const all = failing.calls
    assert.equal(all, 2)
    for (let n = 0; n < all; n++)
      for (const times of [1, Number.POSITIVE_INFINITY]) {
        write(n * 2 + (times === 1 ? 1 : 2))
        failing.fail(n, times)
        const { state, reason } = (await run()) as RunReport
        const when = `${times === 1 ? 'once' : 'for ever'} from ${n}`
        // When the names fail all has been done: the second try finds nothing to do.
        if (times === 1 || n === all - 1) assert.equal(state, 'converged', when)
        else assert.deepEqual([state, reason], ['halted', 'disk-errors'], when)
        failing.fail(Number.POSITIVE_INFINITY, 0)
        assert.equal((await fixture.run()).state, 'converged', when)
        assert.deepEqual(look(destination, { times: false }), look(source, { times: false }), when)
      }
  })
})
