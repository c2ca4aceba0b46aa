import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ContentHash, type RelPath, ROOT } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import { asidePath, type PlaceStep } from '../../../storage/files/index.js'
import { type Kept, type TreeNow, treeThen, VersionStore } from '../../../sync/versions/index.js'
import { type ManualClock, manualClock } from '../../manual-clock.js'
import { type Kit, openKit } from '../../storage/files/kit.js'
import { DAY, gone, hashOf, rel, START } from './lines.js'

describe('the version store of an end', () => {
  let kit: Kit
  let clock: ManualClock
  let store: VersionStore
  beforeEach(async () => {
    kit = await openKit(undefined, 'area')
    clock = manualClock(START)
    store = new VersionStore(kit.root, clock)
  })
  afterEach(() => kit.clean())
  let count = 0

  /** As a session does: written down, staged, placed, kept. */
  async function change(path: string, text: string | null, run = 'r1'): Promise<void> {
    const at = kit.at(path)
    const there = lstatSync(at, { throwIfNoEntry: false, bigint: true })
    const was: Kept | null =
      there === undefined
        ? null
        : {
            ...{ kind: 'file', hash: hashBytes(readFileSync(at)), sizeBytes: Number(there.size) },
            ...{ mtimeNs: there.mtimeNs, mode: Number(there.mode) & 0o777 }
          }
    await store.record([{ run, path: rel(path), was, why: 'test' }])
    const n = count++
    if (text !== null) await kit.stage({ [`new-${n}`]: text })
    const aside = { staging: kit.staging.id, path: asidePath(was?.kind === 'file' ? was.hash : hashOf(''), n) }
    const expected = { kind: 'file', sizeBytes: Number(there?.size ?? 0), mtimeNs: there?.mtimeNs } as const
    const step: PlaceStep =
      was === null
        ? { kind: 'create', path: rel(path), from: kit.from(`new-${n}`) }
        : text === null
          ? { kind: 'remove', path: rel(path), expected, aside }
          : { kind: 'replace', path: rel(path), from: kit.from(`new-${n}`), expected, aside }
    const [result] = await kit.root.place([step])
    assert.equal(
      result?.done,
      true,
      JSON.stringify(result, (_, v) => (typeof v === 'bigint' ? String(v) : v))
    )
    await store.keep(kit.staging)
  }
  const asOf = async (atMs: number, path = ROOT): Promise<Record<string, string>> => {
    const found: Record<string, string> = {}
    const entry = (path: string): Kept =>
      ({ kind: 'file', hash: hashBytes(readFileSync(kit.at(path))) }) as never as Kept
    const names = (dir: RelPath): string[] => readdirSync(kit.at(dir)).filter(name => !name.startsWith('.spacedrive'))
    const today: TreeNow = {
      list: dir => names(dir).map(name => ({ name, entry: entry(join(dir, name)) })),
      find: at => (names(ROOT).includes(at) ? entry(at) : undefined)
    }
    for (const { path: at, was, now } of (await treeThen([store], atMs)).entries(path, today)) {
      if (was.kind !== 'file') continue
      if (now !== undefined) found[at] = readFileSync(kit.at(now), 'utf8')
      else {
        const to = rel(`restored-${count++}`)
        await store.stage(kit.staging, was.hash, to)
        found[at] = readFileSync(join(kit.staging.contentPath, to), 'utf8')
      }
    }
    return found
  }
  const stored = (): string[] => {
    const dir = kit.at('.spacedrive/versions/content')
    return readdirSync(dir).flatMap(part => readdirSync(join(dir, part)))
  }

  it('makes nothing before there is something to write down', async () => {
    assert.deepEqual(await store.usage(), { bytes: 0, contents: 0, share: 0 })
    for await (const _ of store.newestFirst()) assert.fail('no line was written')
    assert.equal(await store.keep(kit.staging), 0)
    assert.equal(lstatSync(kit.at('.spacedrive/versions'), { throwIfNoEntry: false }), undefined)
  })

  it('gives back the folder as it was at each moment, and a content once however often it was there', async () => {
    const moments: [number, Record<string, string>][] = [[clock.nowMs() - 1, {}]]
    const now: Record<string, string> = {}
    for (const [path, text] of [
      ['a', 'one'],
      ['b', 'one'],
      ['a', 'two'],
      ['b', null],
      ['b', 'three'],
      ['a', 'one'],
      ['a', null]
    ] as const) {
      await change(path, text)
      if (text === null) delete now[path]
      else now[path] = text
      moments.push([clock.nowMs(), { ...now }])
      await clock.advance(DAY / 3)
    }
    for (const [at, expected] of moments) assert.deepEqual(await asOf(at), expected)
    assert.deepEqual(await asOf(START, rel('a')), { a: 'one' })
    assert.equal(stored().length, 2, 'one, two')
    assert.equal((await store.usage()).contents, 2)
  })

  it('lists runs newest first, and the versions of a path under all its names', async () => {
    await change('a', '1', 'first')
    await clock.advance(1_000)
    await change('a', '2', 'second')
    await change('b', 'x', 'second')
    await store.record([{ run: 'third', path: rel('a'), was: null, to: rel('c'), why: 'moved' }])
    const runs = []
    for await (const s of store.snapshots()) runs.push([s.run, s.changes, s.firstMs])
    assert.deepEqual(runs, [
      ['third', 1, START + 1_001],
      ['second', 2, START + 1_000],
      ['first', 1, START]
    ])
    const versions = []
    for await (const v of store.versionsOf(rel('c'))) versions.push([v.path, v.was?.kind ?? null, v.to])
    assert.deepEqual(versions, [
      ['a', null, 'c'],
      ['a', 'file', undefined]
    ])
  })

  it('a clock that is put back does not put lines before those that were there', async () => {
    await store.record([gone('a', '1')])
    clock.setWall(START - 100 * DAY)
    const at = await store.record([gone('a', '2')])
    assert.equal(at, START)
    const again = new VersionStore(kit.root, clock)
    assert.equal(await again.record([gone('a', '3')]), START)
    const seen = []
    for await (const { was } of again.newestFirst()) seen.push(was?.kind === 'file' && was.hash)
    assert.deepEqual(seen, [hashOf('3'), hashOf('2'), hashOf('1')])
  })

  it('a line that a crash cut off is passed over, and the next one stands for itself', async () => {
    await store.record([gone('a', '1')])
    const list = kit.at('.spacedrive/versions/lists/2026-01-10')
    appendFileSync(list, '{"v":1,"at":17')
    await store.record([gone('b', '2')])
    const paths = []
    for await (const { path } of store.newestFirst()) paths.push(path)
    assert.deepEqual(paths, ['b', 'a'])
  })

  it('reads lists of any length backwards, whatever the pieces cut', async () => {
    const many = Array.from({ length: 9_000 }, (_, i) => gone(`${'long-name-'.repeat(i % 20)}${i}`, '1'))
    for (let i = 0; i < many.length; i += 1_000) await store.record(many.slice(i, i + 1_000))
    let n = many.length
    for await (const { path } of store.newestFirst()) assert.equal(path, many[--n]!.path)
    assert.equal(n, 0)
  })

  it('a file that nobody may read is kept and can be read again', async () => {
    writeFileSync(kit.at('secret'), 'x')
    chmodSync(kit.at('secret'), 0)
    await change('secret', null)
    const [hash] = stored()
    assert.equal(hash, hashOf('x'))
    assert.equal(lstatSync(kit.at(`.spacedrive/versions/content/${hash!.slice(0, 2)}/${hash}`)).mode & 0o777, 0o600)
    await assert.rejects(store.stage(kit.staging, hashOf('never'), rel('n')), { code: 'NO_VERSION' })
  })

  describe('thinning', () => {
    const never = async (): Promise<ReadonlySet<ContentHash>> => new Set()

    it('what a line names that this program cannot read, damaged or of a later one, stays', async () => {
      await change('a', '1')
      await change('a', '2')
      await change('b', '3')
      await change('b', '4')
      const list = kit.at('.spacedrive/versions/lists/2026-01-10')
      const [first, , third, ...others] = readFileSync(list, 'utf8').split('\n')
      const [second] = readFileSync(list, 'utf8').split('\n').slice(1)
      const later = second!.replace('"v":1', '"v":2')
      writeFileSync(list, [first, later, third, ...others].join('\n').replace(`"${hashOf('3')}"`, `"${hashOf('3')}\0`))
      await store.thin({ policies: [{ kind: 'trashcan', days: 30 }], mustStay: never })
      assert.deepEqual(stored().sort(), [hashOf('1'), hashOf('3')].sort())
    })

    it('lets go what the policy does not keep, and nothing that a kept line or somebody else needs', async () => {
      await change('a', '1')
      await change('a', '2')
      await change('b', '1')
      await clock.advance(40 * DAY)
      await change('b', '3') // a line of today names content 1
      await change('c', '4')
      await clock.advance(1)
      await change('c', '5')
      assert.deepEqual(stored().sort(), [hashOf('1'), hashOf('4')].sort())
      const kept = await store.thin({ policies: [{ kind: 'trashcan', days: 30 }], mustStay: never })
      assert.deepEqual(kept, { linesDropped: 3, contentsRemoved: 0, bytesFreed: 0 })
      await clock.advance(40 * DAY)
      const asked: ContentHash[] = []
      const mustStay = async (hashes: readonly ContentHash[]): Promise<ReadonlySet<ContentHash>> => {
        asked.push(...hashes)
        return new Set([hashOf('4')])
      }
      const freed = await store.thin({ policies: [{ kind: 'trashcan', days: 30 }], mustStay })
      assert.deepEqual([freed.contentsRemoved, freed.bytesFreed], [1, 1])
      assert.deepEqual(asked.sort(), [hashOf('1'), hashOf('4')].sort())
      assert.deepEqual(stored(), [hashOf('4')])
      assert.equal((await store.thin({ policies: [{ kind: 'trashcan', days: 30 }], mustStay })).linesDropped, 0)
      await store.thin({ policies: [{ kind: 'trashcan', days: 30 }], mustStay: never })
      assert.deepEqual(stored(), [])
      assert.deepEqual(readdirSync(kit.at('.spacedrive/versions/lists')), ['since'])
    })

    it('what no line names any more goes, also when a crash kept it from going', async () => {
      await change('a', '1')
      await change('a', '2')
      mkdirSync(kit.at(`.spacedrive/versions/content/${hashOf('z').slice(0, 2)}`), { recursive: true })
      writeFileSync(kit.at(`.spacedrive/versions/content/${hashOf('z').slice(0, 2)}/${hashOf('z')}`), 'z')
      const report = await store.thin({ policies: [{ kind: 'staggered' }], mustStay: never })
      assert.deepEqual(report, { linesDropped: 0, contentsRemoved: 1, bytesFreed: 1 })
      assert.deepEqual(stored(), [hashOf('1')])
    })

    it('lines that are written meanwhile are there afterwards', async () => {
      for (let i = 0; i < 50; i++) await store.record([gone('a', String(i))])
      await clock.advance(2 * DAY)
      await store.record([gone('a', 'young')])
      const thinning = store.thin({ policies: [{ kind: 'simple', count: 1 }], mustStay: never })
      const writing = Array.from({ length: 20 }, (_, i) => store.record([gone('b', String(i))]))
      await Promise.all([thinning, ...writing])
      const paths: string[] = []
      for await (const { path } of store.newestFirst()) paths.push(path)
      assert.deepEqual(paths, [...Array.from({ length: 20 }, () => 'b'), 'a'])
    })
  })

  it('verify finds what is damaged and what is missing', async () => {
    for (const [path, text] of [
      ['a', 'first'],
      ['b', 'second'],
      ['c', 'third']
    ] as const) {
      await change(path, text)
      await change(path, null)
    }
    const problems = async (): Promise<string[]> => {
      const found: string[] = []
      for await (const { code, path } of store.verify()) found.push(`${path} ${code}`)
      return found
    }
    assert.deepEqual(await problems(), [])
    const at = (text: string): string =>
      kit.at(`.spacedrive/versions/content/${hashOf(text).slice(0, 2)}/${hashOf(text)}`)
    writeFileSync(at('second'), 'sEcond')
    assert.equal(await kit.root.versions.remove([hashOf('third')]), 1)
    assert.deepEqual(await problems(), ['c VERSION_MISSING', 'b VERSION_DAMAGED'])
  })
})
