import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath, JobId } from '../../../storage/base/index.js'
import type { RestoreOutput, RestorePlan, RestoreWhat } from '../../../sync/operations/index.js'
import { itemAt } from '../../storage/trash/fixture.js'
import { readTree } from '../copy/trees.js'
import { type OperationsFixture, openOperations } from './fixture.js'

describe('the restore job', () => {
  let fixture: OperationsFixture
  beforeEach(async () => {
    fixture = await openOperations()
  })
  afterEach(() => fixture.close())

  /** Each of these is thrown away by itself, in this order. @returns ids */
  async function throwAway(...paths: string[]): Promise<number[]> {
    const ids: number[] = []
    for (const path of paths) {
      const [result] = await fixture.peer.trash.put([itemAt(fixture.at(path) as AbsPath)], { command: 'file.delete' })
      ids.push(result!.done ? result!.id : assert.fail(result!.problem.message))
    }
    return ids
  }
  const plan = (what: Partial<RestoreWhat>): Promise<RestorePlan> =>
    fixture.peer.operations.planRestore({ ids: [], paths: [], ...what })
  async function restore(what: Partial<RestoreWhat>) {
    const planned = await plan(what)
    const job = await fixture.peer.operations.beginRestore(planned, { to: what.to })
    const info = await fixture.ended(job)
    return { planned, info, output: info.output as unknown as RestoreOutput }
  }
  const listed = () => readdirSync(join(fixture.peer.dataDir, 'work'))

  it('does what its plan said, also where names are taken, twice asked for, or in folders that come back too', async () => {
    fixture.write({ 'tree/in/x': 'x', 'tree/y': 'y', 'a.txt': 'old', 'b/a.txt': 'other', 'gone/deep/z': 'z' })
    const before = readTree(fixture.dir)
    const ids = await throwAway('tree/in/x', 'tree', 'a.txt', 'b/a.txt', 'gone/deep/z')
    rmSync(fixture.at('gone'), { recursive: true })
    const { planned, output } = await restore({ ids })
    assert.deepEqual(
      planned.list.map(i => [i.id, i.at]),
      [
        [ids[2], fixture.at('a.txt')],
        [ids[3], fixture.at('b/a.txt')],
        [ids[4], fixture.at('gone/deep/z')],
        [ids[1], fixture.at('tree')],
        [ids[0], fixture.at('tree/in/x')]
      ]
    )
    assert.deepEqual([output.items, output.elsewhere, output.stayed], [5, [], []])
    const contents = (tree: ReturnType<typeof readTree>) =>
      Object.entries(tree).map(([path, n]) => [path, n.kind === 'file' ? n.content : n.kind])
    assert.deepEqual(contents(readTree(fixture.dir)).sort(), contents(before).sort())

    const again = await throwAway('a.txt', 'b/a.txt')
    fixture.write({ 'to/a.txt': 'stands' })
    const twice = await restore({ ids: again, to: fixture.at('to') as AbsPath })
    assert.deepEqual(twice.planned.list.map(i => i.at).sort(), [fixture.at('to/a (1).txt'), fixture.at('to/a (2).txt')])
    assert.deepEqual([twice.output.items, twice.output.elsewhere], [2, []])
    assert.equal(readFileSync(fixture.at('to/a.txt'), 'utf8'), 'stands')
    assert.deepEqual(listed(), [])
  })

  it('a name that was taken after the look: it comes beside it, and the result says where', async () => {
    fixture.write({ f: 'mine' })
    const ids = await throwAway('f')
    const planned = await plan({ ids })
    fixture.write({ f: 'newer' })
    const info = await fixture.ended(await fixture.peer.operations.beginRestore(planned, {}))
    assert.deepEqual((info.output as unknown as RestoreOutput).elsewhere, [{ id: ids[0], path: fixture.at('f (1)') }])
    assert.equal(readFileSync(fixture.at('f'), 'utf8'), 'newer')
  })

  it('what cannot come is said before anything is done; when nothing can, nothing begins', async () => {
    fixture.write({ 'folder/x': 'x', y: 'y', z: 'z' })
    const ids = await throwAway('folder/x', 'y', 'z')
    rmSync(fixture.at('folder'), { recursive: true })
    fixture.write({ folder: 'a file now' })
    const [gone] = (await fixture.peer.trash.list({ ids: [ids[1]!] })).entries
    rmSync(gone!.lies!)
    const { planned, info } = await restore({ ids })
    assert.deepEqual(
      planned.problems.map(p => p.code),
      ['NOT_A_FOLDER', 'GONE']
    )
    assert.deepEqual([info.state, info.problems], ['completed-with-problems', 2])
    assert.deepEqual(readdirSync(fixture.dir).sort(), ['folder', 'z'])
    await assert.rejects(plan({ ids: [ids[0]!] }), { code: 'NOT_A_FOLDER' })
    await assert.rejects(plan({ ids: [9_999] }), { code: 'NOT_IN_TRASH', message: /9999/ })
    await assert.rejects(plan({}), { code: 'NOT_IN_TRASH' })
    assert.deepEqual(listed(), [])
  })

  async function many(n: number): Promise<JobId> {
    const files = Array.from({ length: n }, (_, i) => `many/f${i}`)
    fixture.write(Object.fromEntries(files.map(f => [f, f])))
    const paths = files.map(fixture.at)
    const planned = await fixture.peer.operations.planDelete(paths, { permanent: false })
    const job = await fixture.peer.operations.beginDelete(planned, { permanent: false, paths })
    await fixture.ended(job)
    return job
  }
  const first = (): Promise<void> => new Promise(resolve => fixture.peer.events.on('trash:restored', () => resolve()))

  it('paused and resumed it brings everything back once', async () => {
    const deletion = await many(900)
    const some = first()
    const job = await fixture.peer.operations.beginRestore(await plan({ job: deletion }), {})
    await some
    await fixture.peer.jobs.pause(job)
    const back = readdirSync(fixture.at('many')).length
    assert.ok(back > 0 && back < 900, `${back} are back`)
    await fixture.peer.jobs.resume(job)
    const { state, output } = await fixture.ended(job)
    assert.deepEqual([state, (output as { items: number }).items], ['completed', 900])
    for (const name of readdirSync(fixture.at('many')))
      assert.equal(readFileSync(fixture.at(`many/${name}`), 'utf8'), `many/${name}`)
    assert.equal(readdirSync(fixture.at('many')).length, 900)
    assert.deepEqual(listed(), [])
  })

  it('cancelled it leaves the rest in the trash, whole', async () => {
    const deletion = await many(900)
    const some = first()
    const job = await fixture.peer.operations.beginRestore(await plan({ job: deletion }), {})
    await some
    await fixture.peer.jobs.cancel(job)
    const { totals } = await fixture.peer.trash.list({ job: deletion })
    assert.equal(readdirSync(fixture.at('many')).length + totals.items, 900)
    assert.ok(totals.items > 0)
    assert.deepEqual(listed(), [])
  })

  it('emptying takes what lay there when it was asked about, nothing that came after', async () => {
    fixture.write({ early: '1', late: '2' })
    await throwAway('early')
    const { operations, trash } = fixture.peer
    const { totals, uptoId } = await operations.trashTotals({})
    assert.equal(totals.items, 1)
    const [late] = await throwAway('late')
    const info = await fixture.ended(await operations.beginEmptyTrash({ uptoId }))
    assert.deepEqual(info.output, { items: 1, files: 1, bytes: 1 })
    assert.deepEqual(
      (await trash.list()).entries.map(e => e.id),
      [late]
    )
  })
})
