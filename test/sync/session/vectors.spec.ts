import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AbsPath,
  type Clock,
  type RelPath,
  systemClock,
  systemRandom,
  workerPool
} from '../../../storage/base/index.js'
import { type EntryStat, openFiles, ownerTag, type PlaceResult, type PlaceStep } from '../../../storage/files/index.js'
import { withReader } from '../../../storage/sql/index.js'
import type { Looked, SeenThing } from '../../../sync/endpoints/index.js'
import { compareVersions, type Version } from '../../../sync/reconcile/index.js'
import { type FolderVectors, type Vectors, vectors } from '../../../sync/session/index.js'
import { VECTORS_IDLE_MS } from '../../../sync/session/vectors.js'
import { manualClock } from '../../manual-clock.js'
import { tempDir } from '../../temp.js'
import { openHere } from './fixture.js'

const LOOK_MS = 10
const rel = (text: string): RelPath => text as RelPath

/** A file as a look tells it. */
const file = (path: string, content: string, more: Partial<SeenThing> = {}): SeenThing => ({
  ...{ path: rel(path), kind: 'file', content, mode: 0o644, mtimeNs: 1n, inode: 7n, birthNs: 7n, agreed: false },
  ...more
})
const folder = (path: string, inode: bigint): SeenThing =>
  file(path, '', { kind: 'directory', mode: 0o755, inode, birthNs: inode })
const gone = (path: string): SeenThing => file(path, '', { kind: 'gone', inode: 0n, birthNs: 0n })

describe('versions of the entries of a folder', () => {
  const pool = workerPool(1)
  const files = openFiles({ pool, owner: ownerTag('/of this test' as AbsPath), clock: systemClock })
  const dataDir = (): AbsPath => join(temp.path, 'data') as AbsPath
  let temp: { path: string; clean(): void }
  let store: Vectors
  let here: FolderVectors

  const open = async (sync = 'a'): Promise<FolderVectors> => {
    const endpoint = await openHere(temp.path, { pool, files, dir: dataDir() })
    try {
      return await store.of({ about: o => endpoint.about(o), local: endpoint.local, look: standing }, sync)
    } finally {
      await endpoint.close()
    }
  }
  /** What stands there when it is looked at: nothing can be told of it unless a test says so. */
  let stands: ReadonlyMap<string, SeenThing> | undefined
  const standing = async (paths: readonly RelPath[]): Promise<Looked[]> =>
    paths.map((path): Looked => {
      if (stands === undefined)
        return { path, entry: undefined, problem: { path, code: 'NO_PERMISSION', message: 'nobody can tell' } }
      const { kind, mode, mtimeNs, inode, birthNs } = stands.get(path) ?? gone(path)
      const stat = { kind, mode, mtimeNs, inode, birthNs } as EntryStat
      return { path, entry: kind === 'gone' ? undefined : { path, stat } }
    })
  const make = (clock: Clock = systemClock): Vectors =>
    vectors({
      ...{ dataDir: dataDir(), clock, random: systemRandom },
      deviceName: () => "ada's laptop"
    })
  /** One look; what is gone is told first and once more at the end. */
  async function look(...things: SeenThing[]): Promise<Map<string, Version | undefined>> {
    const { upto } = await here.changed({ after: 0 })
    const [away, there] = [things.filter(t => t.kind === 'gone'), things.filter(t => t.kind !== 'gone')]
    await here.observe(away, upto)
    const told = [...(await here.observe(there, upto)), ...(await here.observe(away, upto))]
    return new Map([...there, ...away].map((thing, i) => [thing.path, told[i]]))
  }

  beforeEach(async () => {
    temp = tempDir('sd-vectors-')
    mkdirSync(join(temp.path, 'data'))
    store = make()
    stands = undefined
    here = await open()
  })
  afterEach(async () => {
    await store.close()
    temp.clean()
  })
  after(async () => {
    await files.close()
    await pool.close()
  })

  it('the device is in the name under which changes are counted', () => {
    assert.match(here.replica, /^adaslaptop\.[0-9a-f]{16}$/)
  })

  it('the database is closed when nobody asked for a while, and whoever asks then finds what was there', async () => {
    await store.close()
    const clock = manualClock()
    store = make(clock)
    here = await open()
    const before = await look(file('x', 'one'))
    const wal = join(dataDir(), 'vectors.db-wal')
    for (let round = 0; round < 2; round++) {
      assert.ok(existsSync(wal), 'it is open')
      await clock.advance(VECTORS_IDLE_MS)
      while (existsSync(wal)) await sleep(LOOK_MS) // goes with the last connection
      assert.deepEqual(await look(file('x', 'one')), before)
    }
  })

  it('content, kind and going away are changes; the same again is none; what comes back has seen that it was gone', async () => {
    const steps = [file('x', 'one'), file('x', 'two'), file('x', '', { kind: 'symlink' }), gone('x'), file('x', 'one')]
    let before: Version | undefined
    for (const thing of steps) {
      const now = (await look(thing)).get('x')
      if (before !== undefined) assert.equal(compareVersions(now, before), 'newer')
      assert.deepEqual((await look(thing)).get('x'), now)
      before = now
    }
  })

  it('permission bits and times are counted apart; those of a link, and the time of a folder, are not', async () => {
    const first = (await look(file('x', 'one'))).get('x')
    const set = (await look(file('x', 'one', { mode: 0o600 }))).get('x')!
    assert.equal(compareVersions(set, first), 'equal')
    assert.ok(Object.keys(set).includes(`${here.replica}~`))
    const dir = (await look(folder('d', 9n))).get('d')
    assert.deepEqual((await look({ ...folder('d', 9n), mtimeNs: 5n })).get('d'), dir)
  })

  it('a folder that was renamed takes along what it holds had seen, looked at or not', async () => {
    const x = file('d/x', 'one', { inode: 11n, birthNs: 11n })
    const y = file('d/y', 'two', { inode: 12n, birthNs: 12n })
    const before = await look(folder('d', 10n), x, y)
    const after = await look(gone('d'), gone('d/x'), folder('e', 10n), { ...x, path: rel('e/x') })
    assert.equal(compareVersions(after.get('e'), before.get('d')), 'newer')
    assert.deepEqual(after.get('e/x'), before.get('d/x'))
    assert.equal(after.get('d'), undefined)
    assert.equal(after.get('d/x'), undefined)
    assert.deepEqual((await look({ ...y, path: rel('e/y') })).get('e/y'), before.get('d/y'))
  })

  it('what a large folder holds follows its new name when somebody asks for it, and keeps what it had seen', async () => {
    const at = (dir: string, i: number, content = `${i}`): SeenThing =>
      file(`${dir}/f${i}`, content, { inode: BigInt(1_000 + i), birthNs: 1n })
    const before = await look(folder('d', 10n), ...Array.from({ length: 1_100 }, (_, i) => at('d', i)))
    const waiting = (): number =>
      withReader(
        join(dataDir(), 'vectors.db'),
        sql => sql.prepare<{ n: number }>('SELECT count(*) AS n FROM renamed').get()!.n
      )
    const rename = async (from: string, to: string): Promise<number> => {
      const { upto } = await here.changed({ after: 0 })
      await here.observe([gone(from)], upto)
      await here.observe([folder(to, 10n)], upto)
      assert.equal(waiting(), 1)
      return upto
    }
    const round = await rename('d', 'e')
    await store.close()
    store = make()
    here = await open()
    // Another folder has the old name, with a file that is called like one of the other's.
    const [, fresh] = await here.observe([folder('d', 20n), file('d/f1', '1', { inode: 5n, birthNs: 5n })], round)
    assert.equal(waiting(), 0)
    assert.notDeepEqual(fresh, before.get('d/f1'))
    const [same, edited] = await here.observe([at('e', 1), at('e', 2, 'edited')], round)
    assert.deepEqual(same, before.get('d/f1'))
    assert.equal(compareVersions(edited!, before.get('d/f2')!), 'newer')
    await rename('e', 'g')
    const other = await open('b')
    const all: string[] = []
    for (let next: number | undefined = 0; next !== undefined; ) {
      const page: Awaited<ReturnType<typeof other.changed>> = await other.changed({ after: next })
      all.push(...page.paths)
      ;({ next } = page)
    }
    assert.deepEqual([all.filter(p => p.startsWith('g/')).length, all.filter(p => p.startsWith('e/'))], [1_100, []])
  })

  it('a file that took another name has seen what had it', async () => {
    const x = file('x', 'one', { inode: 11n, birthNs: 11n })
    const before = await look(x, file('y', 'two', { inode: 12n, birthNs: 12n }))
    const after = await look(gone('x'), { ...x, path: rel('y') })
    for (const name of ['x', 'y']) assert.equal(compareVersions(after.get('y'), before.get(name)), 'newer')
  })

  it('what a sync wrote is no change by hand, also when it was cut off before it could say so', async () => {
    const version = { 'bob.0123456789abcdef': 5 }
    const steps: PlaceStep[] = [
      { kind: 'create', path: rel('new'), from: { staging: 's', path: rel('n') } },
      { kind: 'remove', path: rel('old'), expected: { kind: 'file' }, aside: { staging: 's', path: rel('o') } }
    ]
    const notes = [{ content: 'one', version }, { version }]
    await look(file('old', 'was'))
    await assert.rejects(
      here.noting(steps, notes, () => Promise.reject(new Error('cut off'))),
      /cut off/
    )
    const found = await look(file('new', 'one'), gone('old'))
    for (const path of ['new', 'old']) assert.deepEqual(found.get(path), version)
    const stat = { mode: 0o100644, mtimeNs: 3n, inode: 4n, birthNs: 4n }
    const done = [{ done: true, path: rel('new'), stat }] as unknown as PlaceResult[]
    await here.noting([{ ...steps[0]!, path: rel('next') } as PlaceStep], notes, async () => done)
    assert.deepEqual((await look(file('next', 'one', { mtimeNs: 3n, inode: 4n }))).get('next'), version)
  })

  it('what was seen before another sync wrote is no edit: it is to be looked at again', async () => {
    const other = await open('b')
    const [old, placed] = [file('x', 'one'), file('x', 'two', { inode: 8n, birthNs: 8n, mtimeNs: 2n })]
    const { upto } = await here.changed({ after: 0 })
    await here.observe([old], upto)
    const version = { elsewhere: 5 }
    const step = { kind: 'replace', path: rel('x') } as PlaceStep
    const result = { done: true, path: rel('x'), stat: placed } as unknown as PlaceResult
    await other.noting([step], [{ content: 'two', version }], async () => [result])
    stands = new Map([['x', placed]])
    await assert.rejects(here.observe([old], upto), { code: 'CHANGED' })
    await assert.rejects(here.observe([gone('x')], upto), { code: 'CHANGED' })
    assert.deepEqual(await here.observe([placed], upto), [version])
    // Edited by hand since: that is none of what was written, and counts.
    const edited = file('x', 'three', { inode: 9n, birthNs: 9n, mtimeNs: 3n })
    stands = new Map([['x', edited]])
    assert.equal(compareVersions((await here.observe([edited], upto))[0], version), 'newer')
    // Deleted by the other sync, and seen while it was there.
    await other.noting([{ kind: 'remove', path: rel('x') } as PlaceStep], [{ version: { elsewhere: 9 } }], async () => [
      { done: true, path: rel('x') } as unknown as PlaceResult
    ])
    stands = new Map()
    await assert.rejects(here.observe([edited], upto), { code: 'CHANGED' })
    assert.deepEqual(await here.observe([gone('x')], upto), [{ elsewhere: 9 }])
  })

  it('of what is as it was agreed on, and not known yet, nobody says that it was changed', async () => {
    assert.deepEqual((await look(file('x', 'one', { agreed: true }))).get('x'), {})
    assert.equal((await look(gone('x'))).get('x'), undefined)
  })

  it('what another sync changed is told, what this one did is not', async () => {
    const { upto } = await here.changed({ after: 0 })
    await look(file('mine', 'one'))
    const other = await open('b')
    await other.observe([file('theirs', 'one')], upto)
    await other.learn([{ path: rel('mine'), version: { 'bob.0123456789abcdef': 5 } }])
    const { paths, next, empty } = await here.changed({ after: upto })
    assert.deepEqual([[...paths].sort(), next, empty], [['mine', 'theirs'], undefined, false])
  })

  it('a database that is damaged is made anew: the folder goes on under another name', async () => {
    const before = here.replica
    await store.close()
    writeFileSync(join(temp.path, 'data/vectors.db'), Buffer.alloc(8192, 7))
    store = make()
    here = await open()
    assert.notEqual(here.replica, before)
  })
})
