import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { AbsPath, RelPath } from '../../../storage/base/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import {
  haltText,
  judgeMarkers,
  judgeRoot,
  type MarkersInit,
  type RunAsked,
  type RunReport,
  type Sync,
  type SyncEnd
} from '../../../sync/session/index.js'
import { look } from './fixture.js'
import { TwoFolders } from './two-folders.js'

describe('guards of identity', () => {
  let two: TwoFolders
  const at = (path: string): string => two.at(path)
  const put = (path: string, text: string): void => two.put(path, text)
  const add = (mode: Mode): Promise<Sync> => two.add(mode, { manual: true })
  const run = async (asked: RunAsked = {}): Promise<RunReport> => {
    const job = await two.peer.syncs.begin(two.sync, asked)
    const { output, error } = await two.peer.jobs.outcome(job)
    assert.equal(error, undefined)
    return output as unknown as RunReport
  }
  const done = async (asked: RunAsked = {}): Promise<RunReport> => {
    const report = await run(asked)
    assert.equal(report.state, 'converged', JSON.stringify(report))
    return report
  }
  /** Halts with this reason, whatever is said, and changes nothing. */
  const halts = async (reason: string, text: RegExp): Promise<void> => {
    const before = [look(at('a')), look(at('b'))]
    for (const asked of [{}, { force: true }]) {
      const report = await run(asked)
      assert.deepEqual([report.state, report.reason, report.operations], ['halted', reason, 0])
      assert.match(report.halts?.join() ?? '', text)
      assert.ok(report.hint)
    }
    assert.deepEqual([look(at('a')), look(at('b'))], before)
  }
  const marker = (end: 'a' | 'b') => JSON.parse(readFileSync(at(`${end}/.spacedrive/root.json`), 'utf8'))
  const keep = (from: string, to: string): void =>
    cpSync(at(from), at(to), { recursive: true, preserveTimestamps: true })

  beforeEach(async () => {
    two = new TwoFolders()
    await two.start()
  })
  afterEach(() => two.clean())

  it('both ends count the batches, and say which root they are', async () => {
    put('a/f', '1')
    await add('bidirectional')
    await done()
    const [a, b] = [marker('a'), marker('b')]
    assert.notEqual(a.root, b.root)
    assert.deepEqual(Object.values(a.syncs), [1])
    assert.deepEqual(a.syncs, b.syncs)
    await done()
    assert.deepEqual(marker('a'), a, 'what changes nothing is not counted')
    put('b/f', 'edited')
    await done()
    assert.deepEqual([Object.values(marker('a').syncs), Object.values(marker('b').syncs)], [[2], [2]])
  })

  for (const [mode, end] of [
    ['bidirectional', 'a'],
    ['bidirectional', 'b'],
    ['mirror', 'b'],
    ['backup', 'b']
  ] as const) {
    it(`${mode}: the disk of ${end} put back to yesterday halts, and after a word nothing is deleted`, async () => {
      put('a/old', 'yesterday')
      put('a/edited', 'yesterday')
      await add(mode)
      await done()
      keep(end, 'yesterday')
      put('a/edited', 'today')
      put('a/new', 'today')
      rmSync(at('a/old'))
      await done()
      rmSync(at(end), { recursive: true })
      renameSync(at('yesterday'), at(end))
      await halts('rolled-back', /was put back to an earlier state/)
      const report = await done({ acceptRollback: true })
      assert.ok(report.operations > 0)
      const [a, b] = [look(at('a'), { times: false }), look(at('b'), { times: false })]
      for (const tree of end === 'a' || mode === 'bidirectional' ? [a, b] : [b])
        for (const name of ['old', 'edited', 'new']) assert.ok(tree[name], `${name} is there`)
      if (mode === 'bidirectional') assert.deepEqual(a, b)
      const texts = Object.values(b).join(' ')
      assert.ok(texts.includes('today') && texts.includes('yesterday'), 'nothing that was there is gone')
      const sync = two.sync
      assert.equal(sync.paused, mode === 'mirror', 'the next run of a mirror would take it away again')
      assert.match(two.peer.syncs.status(sync).text, mode === 'mirror' ? /^paused: something was put back/ : /in step/)
      if (mode === 'mirror') {
        await two.peer.syncs.resume(sync)
        const { text, notes } = two.peer.syncs.status(two.sync)
        assert.deepEqual([text, notes], ['in step', []], 'nothing of the pause is left')
      }
      if (mode !== 'mirror') assert.equal((await done()).operations, 0)
    })
  }

  it('the database put back to yesterday halts, and after a word nothing is deleted', async () => {
    put('a/old', 'yesterday')
    await add('bidirectional')
    await done()
    await two.peer.stop()
    keep('data', 'yesterday')
    await two.start()
    put('a/new', 'today')
    rmSync(at('b/old'))
    await done()
    await two.peer.stop()
    rmSync(at('data'), { recursive: true })
    renameSync(at('yesterday'), at('data'))
    await two.start()
    await halts('rolled-back', /the database of this device was put back/)
    put('a/third', 'later')
    await done({ acceptRollback: true })
    assert.deepEqual(Object.keys(look(at('b'))), ['new', 'third'])
    assert.deepEqual(look(at('a')), look(at('b')))
    assert.equal((await done()).operations, 0)
  })

  it('a marker that is gone, damaged or foreign', async () => {
    put('a/f', '1')
    await add('bidirectional')
    await done()
    const file = at('b/.spacedrive/root.json')
    const good = readFileSync(file)
    rmSync(file)
    await halts('marker-missing', /is gone/)
    writeFileSync(file, '{"root":')
    await halts('marker-damaged', /is damaged/)
    const other = { ...JSON.parse(good.toString()), root: '01a1fe7a-c093-714d-b915-f0121e5529e8' }
    writeFileSync(file, JSON.stringify(other))
    await halts('marker-foreign', /another folder/)
    writeFileSync(file, good)
    assert.equal((await done()).operations, 0)
  })

  it('a folder that was copied with its marker is no other end', async () => {
    put('a/f', '1')
    await add('bidirectional')
    await done()
    rmSync(at('b'), { recursive: true })
    keep('a', 'b')
    await halts('marker-foreign', /another folder/)
    await two.peer.syncs.remove(two.sync)
    await assert.rejects(add('bidirectional'), { code: 'SAME_ROOT' })
    rmSync(at('b/.spacedrive'), { recursive: true })
    await add('bidirectional')
    await done()
  })

  it('a folder that is gone, no folder any more, or an empty one in its place', async () => {
    for (let i = 0; i < 3; i++) put(`a/f${i}`, '1')
    await add('mirror')
    await done()
    renameSync(at('a'), at('away'))
    await halts('root-missing', /is not there/).catch(err => {
      if (err.code !== 'ENOENT') throw err // there is nothing to look at
    })
    assert.equal((await run()).reason, 'root-missing')
    writeFileSync(at('a'), 'a file')
    assert.equal((await run()).reason, 'root-not-a-folder')
    rmSync(at('a'))
    mkdirSync(at('a'))
    await halts('root-replaced', /another folder/)
    rmSync(at('a'), { recursive: true })
    renameSync(at('away'), at('a'))
    assert.equal((await done()).operations, 0)
  })

  it('a source that was emptied: what lay right below its root is told', async () => {
    for (const name of ['x', 'x y', 'x\u0001', 'd/e/f', 'd/e2/f', 'e']) put(`a/${name}`, '1')
    await add('mirror')
    await done()
    for (const name of readdirSync(at('a'))) rmSync(at(`a/${name}`), { recursive: true })
    const report = await run()
    assert.deepEqual([report.state, report.reason], ['halted', 'root-emptied'])
    assert.match(report.halts!.join(), /the source held 5 things and is empty now/)
    assert.equal(Object.keys(look(at('b'))).length, 9)
  })

  it('a one-way source that was put back as another folder on its volume is still the source', async () => {
    for (let i = 0; i < 3; i++) put(`a/f${i}`, '1')
    await add('mirror')
    await done()
    keep('a', 'copy')
    rmSync(at('a'), { recursive: true })
    renameSync(at('copy'), at('a'))
    await done()
    assert.deepEqual(look(at('a')), look(at('b')))
    assert.throws(() => statSync(at('a/.spacedrive')), { code: 'ENOENT' })
  })

  for (const [what, sql] of [
    ['a hash that is none', `UPDATE sync_archive SET hash = x'00' WHERE kind = 0`],
    ['a kind that is none', 'UPDATE sync_archive SET kind = 9'],
    ['all rows lost', 'DELETE FROM sync_archive']
  ] as const) {
    it(`a damaged archive is as good as none, and deletes nothing: ${what}`, async () => {
      put('a/both', '1')
      put('a/gone', '2')
      await add('bidirectional')
      await done()
      await two.peer.stop()
      const db = new Database(at('data/instance.db'))
      db.exec(sql)
      db.close()
      rmSync(at('a/gone'))
      await two.start()
      await done()
      assert.deepEqual(Object.keys(look(at('a'))), ['both', 'gone'])
      assert.deepEqual(look(at('a')), look(at('b')))
      assert.equal((await done()).operations, 0)
    })
  }
})

describe('guards of identity: what is judged', () => {
  for (const [halt, text] of [
    [{ reason: 'too-many-deletions', count: 11, of: 20, before: 0 }, '11 of 20 files at the source would be gone'],
    [
      { reason: 'too-many-deletions', count: 1_001, of: 2_000, before: 1_000 },
      '1,001 of 2,000 files at the source would be gone, with the 1,000 of the last hour'
    ],
    // One that got other content twice counts twice: what is told is what would happen now.
    [
      { reason: 'too-many-replacements', count: 9_000, of: 8_000, before: 7_000 },
      '2,000 of 8,000 files at the source would get other content, after 7,000 in the last hour'
    ]
  ] as const) {
    it(`a halt in words: ${text}`, () => assert.equal(haltText({ ...halt, end: 'source' }), text))
  }

  const end = (inode: string, birthNs: string, volume: string | null): SyncEnd => ({
    ...{ device: null, path: '/media/stick' as AbsPath, inode, birthNs, volume, within: '' as RelPath }
  })
  for (const [why, known, now, expected] of [
    ['the very folder', end('2', '5', 'uuid:a'), end('2', '5', 'uuid:a'), 'same'],
    ['where no volume is known', end('2', '5', null), end('2', '5', null), 'same'],
    ['another disk, formatted in the same second', end('2', '5', 'uuid:a'), end('2', '5', 'uuid:b'), 'other'],
    ['a guessed id that changed', end('2', '5', 'weak:a'), end('2', '5', 'weak:b'), 'same'],
    ['another stick without times of birth', end('1', '0', 'uuid:a'), end('1', '0', 'uuid:b'), 'other'],
    ['the same, with guessed ids', end('1', '0', 'weak:a'), end('1', '0', 'weak:b'), 'other'],
    ['put back from a copy', end('2', '5', 'uuid:a'), end('9', '7', 'uuid:a'), 'volume'],
    ['the folder under a mount point', end('2', '5', 'uuid:a'), end('9', '7', 'uuid:b'), 'other']
  ] as const) {
    it(`a root is ${expected}: ${why}`, () => assert.equal(judgeRoot(known, now), expected))
  }

  const ROOTS = { source: 'root-a', destination: 'root-b' }
  const counts = (source: number, destination: number): MarkersInit['markers'] => ({
    source: { root: ROOTS.source, syncs: { s: source } },
    destination: { root: ROOTS.destination, syncs: { s: destination } }
  })
  for (const [why, batch, begun, source, destination, expected] of [
    ['equal', 3, 3, 3, 3, undefined],
    ['begun, and nowhere written', 3, 4, 3, 3, undefined],
    ['begun, and written at one end', 3, 4, 4, 3, undefined],
    ['begun, and written at both', 3, 4, 4, 4, undefined],
    ['one ahead, and never begun', 3, 3, 4, 4, 'database'],
    ['two ahead', 3, 4, 5, 5, 'database'],
    ['one end behind', 3, 3, 3, 2, 'destination'],
    ['one end behind while one was begun', 3, 4, 2, 4, 'source']
  ] as const) {
    it(`counters ${source}/${destination} against ${batch}, begun ${begun}: ${why}`, () => {
      const halt = judgeMarkers({
        ...{ uuid: 's', writable: ['source', 'destination'], known: { batch, begun, roots: ROOTS } },
        ...{ markers: counts(source, destination), shown: { source: '/a', destination: '/b' } }
      })
      assert.equal(halt && (halt.end ?? 'database'), expected)
    })
  }
})
