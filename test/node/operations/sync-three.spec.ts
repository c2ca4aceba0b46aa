import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunReport } from '../../../sync/session/index.js'
import { type PairedDaemon, pairedDaemons } from '../../daemons.js'
import { look } from '../../sync/session/fixture.js'

/** Rounds in which each pair runs once; after so many nothing may be left to do. */
const ROUNDS = 4

describe('three devices, each pair keeping the same folder in step', () => {
  let daemons: PairedDaemon[]
  let clean = async (): Promise<void> => {}
  const folder = (who: number): string => join(daemons[who]!.downloads, 'notes')
  const at = (who: number, path: string): string => join(folder(who), path)
  const read = (who: number, path: string): string => readFileSync(at(who, path), 'utf8')
  const all = [0, 1, 2]

  before(async () => {
    const made = await pairedDaemons('ada', 'bob', 'cid')
    ;({ daemons, clean } = made)
    for (const who of all) mkdirSync(folder(who), { recursive: true })
    const [ada, bob, cid] = daemons as [PairedDaemon, PairedDaemon, PairedDaemon]
    await ada.up()
    await bob.up(ada)
    await cid.up(ada, bob)
    await add(0, 1)
    await add(1, 2)
    await add(0, 2)
  })
  after(() => clean())

  async function add(from: number, to: number): Promise<void> {
    const [driver, server] = [daemons[from]!, daemons[to]!]
    const asked = await server.listen('sync:requested')
    const accepted = await driver.listen('sync:accepted')
    const name = `${driver.name}-${server.name}`
    await driver.ok(
      'sync',
      'add',
      name,
      folder(from),
      `${server.name}:${folder(to)}`,
      '--mode',
      'bidirectional',
      '--manual'
    )
    await asked.next()
    const { requests } = await server.json<{ requests: { id: number }[] }>('sync', 'requests')
    await server.ok('sync', 'accept', String(requests[0]!.id))
    await accepted.next()
    for (const events of [asked, accepted]) events.close()
  }

  async function run(from: number, to: number): Promise<RunReport> {
    const report = await daemons[from]!.json<RunReport>('sync', 'run', `${daemons[from]!.name}-${daemons[to]!.name}`)
    assert.equal(report.state, 'converged', JSON.stringify(report))
    return report
  }

  /** All pairs until nothing is left to do. @returns the conflicts that were found */
  async function rest(): Promise<string[]> {
    const conflicts: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const reports = [await run(0, 1), await run(1, 2), await run(0, 2)]
      conflicts.push(...reports.flatMap(r => r.conflicts.map(c => c.path)))
      if (reports.every(r => r.operations === 0)) {
        for (const who of [1, 2])
          assert.deepEqual(look(folder(who), { times: false }), look(folder(0), { times: false }))
        return conflicts
      }
    }
    assert.fail('it does not come to rest')
  }

  it('what each of them has is at all of them', async () => {
    for (const who of all) writeFileSync(at(who, `of ${who}`), `made by ${who}`)
    for (const name of ['f', 'g', 'h', 'k']) writeFileSync(at(0, name), `first ${name}`)
    mkdirSync(at(1, 'folder'))
    writeFileSync(at(1, 'folder/x'), 'x')
    assert.deepEqual(await rest(), [])
  })

  it('an edit of an edit, met round the other way, is newer and no conflict', async () => {
    writeFileSync(at(0, 'f'), 'second f, of ada')
    await run(0, 1)
    writeFileSync(at(1, 'f'), 'third f, of bob')
    await run(1, 2)
    const { conflicts } = await run(0, 2)
    assert.deepEqual(conflicts, [])
    assert.equal(read(0, 'f'), 'third f, of bob')
    assert.deepEqual(await rest(), [])
  })

  it('the deletion of an edit, met round the other way, stays one', async () => {
    writeFileSync(at(0, 'g'), 'second g, of ada')
    await run(0, 1)
    rmSync(at(1, 'g'))
    await run(1, 2)
    await run(0, 2)
    assert.deepEqual(await rest(), [])
    assert.equal('g' in look(folder(0)), false)
  })

  it('two edits that did not see one another are one conflict with one copy', async () => {
    writeFileSync(at(0, 'h'), 'h of ada')
    await run(0, 1)
    writeFileSync(at(2, 'h'), 'h of cid, later')
    // Each pair that meets the two edits says so, and names the one copy alike.
    assert.deepEqual(new Set(await rest()), new Set(['h']))
    const copies = Object.keys(look(folder(0))).filter(name => name.startsWith('h.conflict'))
    assert.equal(copies.length, 1)
    assert.match(copies[0]!, /-ada$/)
    assert.equal(read(1, 'h'), 'h of cid, later')
    assert.equal(read(1, copies[0]!), 'h of ada')
  })

  it('permission bits that were given up elsewhere do not come back', async () => {
    chmodSync(at(0, 'k'), 0o755)
    await run(0, 1)
    chmodSync(at(1, 'k'), 0o640)
    await run(1, 2)
    await run(0, 2)
    assert.deepEqual(await rest(), [])
    assert.match(look(folder(0)).k!, / 640 /)
  })

  it('one that was away for long brings back nothing, and its own is kept', async () => {
    const [, , cid] = daemons
    await cid!.ok('stop')
    writeFileSync(at(0, 'k'), 'k of ada')
    await run(0, 1)
    rmSync(at(1, 'k'))
    renameSync(at(1, 'folder'), at(1, 'renamed'))
    writeFileSync(at(1, 'renamed/x'), 'x, edited')
    rmSync(at(0, 'of 2'))
    await run(0, 1)
    writeFileSync(at(2, 'meanwhile'), 'of cid')
    await cid!.up(daemons[0]!, daemons[1]!)
    assert.deepEqual(await rest(), [])
    const left = look(folder(2))
    for (const name of ['k', 'folder', 'of 2']) assert.equal(name in left, false, name)
    assert.equal(read(0, 'meanwhile'), 'of cid')
    assert.equal(read(2, 'renamed/x'), 'x, edited')
  })
})
