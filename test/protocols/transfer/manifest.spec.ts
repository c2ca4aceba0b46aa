import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import {
  MAX_PAGE_BYTES,
  type Manifest,
  type ManifestEntry,
  type ManifestStore
} from '../../../protocols/transfer/index.js'
import { PageWriter } from '../../../protocols/transfer/manifest/page.js'
import { Sources } from '../../../protocols/transfer/manifest/sources.js'
import { manifestStore } from '../../../protocols/transfer/manifest/store.js'
import { walk } from '../../../protocols/transfer/manifest/walk.js'
import {
  type AbsPath,
  type ContentHash,
  comparePaths,
  type FileName,
  systemClock,
  systemRandom,
  type WorkerPool,
  workerPool
} from '../../../storage/base/index.js'
import { tempDir } from '../../temp.js'
import { look, plant, treeOf } from './trees.js'

describe('manifest', () => {
  let pool: WorkerPool
  let temp: ReturnType<typeof tempDir>
  let store: ManifestStore
  before(() => {
    pool = workerPool(2)
  })
  after(() => pool.close())
  beforeEach(() => {
    temp = tempDir()
    store = manifestStore({ pool, clock: systemClock, random: systemRandom, dir: join(temp.path, 'kept') as AbsPath })
  })
  afterEach(() => {
    execFileSync('chmod', ['-R', 'u+rwx', temp.path])
    temp.clean()
  })

  const all = async (m: Manifest): Promise<ManifestEntry[]> => {
    const list: ManifestEntry[] = []
    for await (const page of store.entries(m)) list.push(...page)
    return list
  }
  const kept = (): string[] => readdirSync(join(temp.path, 'kept'))
  const page = (...entries: Partial<ManifestEntry>[]): Uint8Array => {
    const writer = new PageWriter()
    for (const e of entries)
      writer.add({ path: 'x', kind: 'file', sizeBytes: 0, mode: 0o644, mtimeNs: 0n, ...e } as ManifestEntry)
    return writer.flush()!
  }
  async function* of(...pages: Uint8Array[]): AsyncGenerator<Uint8Array> {
    yield* pages
  }

  it('lists a random tree exactly, in tree order, and travels to another device unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(treeOf(30_000), async tree => {
        const dir = tempDir()
        try {
          const root = join(dir.path, 'tree') as AbsPath
          plant(root, tree)
          const seen = look(root)
          const built = await store.build([{ path: root }])
          assert.deepEqual(built.problems, [])
          const entries = await all(built)
          assert.equal(entries.length, seen.size)
          assert.deepEqual(built.totals.entries, seen.size)
          for (const [i, entry] of entries.entries()) {
            assert.equal(entry.index, i)
            if (i > 0) assert.ok(comparePaths(entries[i - 1]!.path, entry.path) < 0)
            const there = seen.get(entry.path === 'tree' ? '' : entry.path.slice(5))!
            assert.equal(entry.kind, there.kind)
            assert.equal(entry.sizeBytes, there.size)
            assert.equal(entry.mtimeNs, there.mtimeNs)
            if (entry.kind !== 'symlink') assert.equal(entry.mode, there.mode)
          }
          const taken = await store.take(store.pages(built), { hash: built.hash })
          assert.equal(taken.hash, built.hash)
          assert.deepEqual(taken.totals, built.totals)
          assert.deepEqual(await all(taken), entries)
          await store.discard(built)
          await store.discard(taken)
        } finally {
          execFileSync('chmod', ['-R', 'u+rwx', dir.path])
          dir.clean()
        }
      }),
      { numRuns: 40 }
    )
    assert.deepEqual(kept(), [])
  })

  it('names what it could not take in, path by path, and goes on', async () => {
    const root = join(temp.path, 'in') as AbsPath
    mkdirSync(join(root, 'a/b/c'), { recursive: true })
    execFileSync('mkfifo', [join(root, 'pipe')])
    writeFileSync(Buffer.from(`${root}/bad\xff`, 'latin1'), '')
    writeFileSync(join(root, 'new\nline'), '')
    writeFileSync(join(root, 'fine'), 'x')
    const built = await store.build([{ path: root }], { names: 'plain', maxDepth: 3 })
    assert.deepEqual(
      built.problems.map(p => [p.path, p.code]),
      [
        ['in/a/b/c', 'TOO_DEEP'],
        ['in/bad\\xff', 'NAME_REFUSED'],
        ['in/new\\x0aline', 'NAME_REFUSED'],
        ['in/pipe', 'SPECIAL_FILE']
      ]
    )
    assert.equal(built.problemCount, 4)
    assert.deepEqual(
      (await all(built)).map(e => e.path),
      ['in', 'in/a', 'in/a/b', 'in/fine']
    )
  })

  it('a link given as a source is a link; two sources of one name get two names', async () => {
    mkdirSync(join(temp.path, 'a'))
    mkdirSync(join(temp.path, 'b'))
    symlinkSync('/etc/hostname', join(temp.path, 'a/x'))
    writeFileSync(join(temp.path, 'b/x'), 'content')
    const sources = [{ path: join(temp.path, 'a/x') as AbsPath }, { path: join(temp.path, 'b/x') as AbsPath }]
    const entries = await all(await store.build([...sources, { ...sources[1]!, name: 'note' as FileName }]))
    assert.deepEqual(
      entries.map(e => [e.path, e.kind, e.target]),
      [
        ['note', 'file', undefined],
        ['x', 'symlink', '/etc/hostname'],
        ['x (2)', 'file', undefined]
      ]
    )
  })

  it('a missing source, a name that is none, and too many entries end it and leave nothing', async () => {
    const missing = join(temp.path, 'missing') as AbsPath
    await assert.rejects(store.build([{ path: missing }]), { code: 'NOT_FOUND' })
    await assert.rejects(store.build([{ path: '/' as AbsPath }]), { code: 'BAD_NAME' })
    writeFileSync(missing, '')
    await assert.rejects(store.build([{ path: missing, name: '../x' as FileName }]), { code: 'BAD_NAME' })
    for (let i = 0; i < 4; i++) writeFileSync(join(temp.path, `f${i}`), '')
    const four = [0, 1, 2, 3].map(i => ({ path: join(temp.path, `f${i}`) as AbsPath }))
    assert.equal((await store.build(four, { maxEntries: 4 })).totals.entries, 4)
    await assert.rejects(store.build(four, { maxEntries: 3 }), { code: 'TOO_MANY_ENTRIES' })
    assert.equal(kept().length, 2)
  })

  it('an aborted walk rejects with the reason itself and leaves nothing', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const building = store.build([{ path: '/usr/share' as AbsPath }], {
      signal: controller.signal,
      onProgress: () => controller.abort(reason)
    })
    await assert.rejects(building, reason)
    assert.deepEqual(kept(), [])
  })

  it('a folder that may not be read is named, and the rest goes on', () => {
    chmodSync(temp.path, 0o755)
    const root = join(temp.path, 'in') as AbsPath
    mkdirSync(join(root, 'locked'), { recursive: true, mode: 0o755 })
    writeFileSync(join(root, 'open'), '')
    chmodSync(join(root, 'locked'), 0)
    chmodSync(temp.path, 0o711) // what holds the source may be passed through, and no more
    const sources = new Sources()
    const asRoot = process.geteuid?.() === 0
    if (asRoot) process.seteuid?.(65534) // root reads everything
    try {
      const { reader, rel } = sources.find(root)
      const found = [...walk(reader, rel, 'in', { maxDepth: 9, names: 'any' })]
      assert.deepEqual(
        found.map(f => ('entry' in f ? f.entry.path : [f.problem.path, f.problem.code])),
        ['in', ['in/locked', 'UNREADABLE'], 'in/open']
      )
    } finally {
      if (asRoot) process.seteuid?.(0)
      sources.close()
    }
  })

  describe('from a peer', () => {
    const directory = { kind: 'directory', path: 'd' } as Partial<ManifestEntry>
    for (const [why, pages, code] of [
      ['a path that climbs out', [page({ path: '../x' as never })], 'MALFORMED'],
      ['a path that climbs within', [page(directory, { path: 'd/../../x' as never })], 'MALFORMED'],
      ['an absolute path', [page({ path: '/etc/x' as never })], 'MALFORMED'],
      ['an empty path', [page({ path: '' as never })], 'MALFORMED'],
      ['an empty component', [page(directory, { path: 'd//x' as never })], 'MALFORMED'],
      ['a NUL byte', [page({ path: 'a\0b' as never })], 'MALFORMED'],
      ['a name of 256 bytes', [page({ path: 'x'.repeat(256) as never })], 'MALFORMED'],
      ['the same path twice', [page({}, {})], 'MALFORMED'],
      ['the same path twice, over two pages', [page({}), page({})], 'MALFORMED'],
      ['paths out of order', [page({ path: 'b' as never }, { path: 'a' as never })], 'MALFORMED'],
      ['a path below a file', [page({ path: 'd' as never }, { path: 'd/x' as never })], 'MALFORMED'],
      [
        'a path below a link',
        [page({ kind: 'symlink', path: 'd' as never, target: '/etc' }, { path: 'd/x' as never })],
        'MALFORMED'
      ],
      ['a path below nothing', [page({ path: 'd/x' as never })], 'MALFORMED'],
      ['a directory with a size', [page({ ...directory, sizeBytes: 1 })], 'MALFORMED'],
      ['a link to nothing', [page({ kind: 'symlink', target: '' })], 'MALFORMED'],
      ['a link target with a NUL byte', [page({ kind: 'symlink', target: 'a\0' })], 'MALFORMED'],
      ['a set-uid bit', [page({ mode: 0o4755 })], 'MALFORMED'],
      ['a size of 2^53', [page({ sizeBytes: 2 ** 53 })], 'MALFORMED'],
      [
        'sizes that add up to more than 2^53',
        [page({ path: 'a' as never, sizeBytes: 2 ** 53 - 1 }, { path: 'b' as never, sizeBytes: 1 })],
        'MALFORMED'
      ],
      ['a page that is cut off', [page({}).subarray(0, -1)], 'MALFORMED'],
      ['an empty page', [new Uint8Array(0)], 'MALFORMED'],
      ['a page that is too long', [new Uint8Array(MAX_PAGE_BYTES + 1)], 'MALFORMED'],
      ['no page at all', [], 'MALFORMED'],
      ['65 levels', [deep(65)], 'MALFORMED'],
      ['control characters', [page({ path: 'a\x1b[2J' as never })], 'MALFORMED'],
      ['text that turns around', [page({ path: 'a\u202egnp.exe' as never })], 'MALFORMED'],
      ['a name that is not UTF-8', [page({ path: 'a\udcff' as never })], 'MALFORMED']
    ] as const) {
      it(`${why} is refused and nothing is kept`, async () => {
        await assert.rejects(store.take(of(...pages), { names: 'plain' }), { code })
        assert.deepEqual(kept(), [])
      })
    }
    it('64 levels, a name of 255 bytes and the last size are taken', async () => {
      await store.take(of(deep(64)))
      await store.take(of(page({ path: 'x'.repeat(255) as never, sizeBytes: 2 ** 53 - 1 })))
      assert.equal(kept().length, 2)
    })
    it('one entry too many, and another hash than announced', async () => {
      const two = page({ path: 'a' as never }, { path: 'b' as never })
      assert.equal((await store.take(of(two), { maxEntries: 2 })).totals.entries, 2)
      await assert.rejects(store.take(of(two), { maxEntries: 1 }), { code: 'TOO_MANY_ENTRIES' })
      await assert.rejects(store.take(of(two), { hash: '0'.repeat(64) as ContentHash }), { code: 'HASH_MISMATCH' })
      assert.equal(kept().length, 1)
    })
    it('any bytes are refused or taken, never anything else', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async bytes => {
          const outcome = await store.take(of(bytes)).then(
            () => 'taken',
            (err: { code?: string }) => err.code
          )
          assert.ok(outcome === 'taken' || outcome === 'MALFORMED')
        })
      )
    })

    function deep(levels: number): Uint8Array {
      const writer = new PageWriter()
      const head = { sizeBytes: 0, mode: 0o755, mtimeNs: 0n }
      for (let i = 1; i <= levels; i++) writer.add({ ...head, kind: 'directory', path: Array(i).fill('d').join('/') })
      return writer.flush()!
    }
  })

  it('a selection takes the folders that lead there with it', async () => {
    for (const d of ['t/a/b', 't/c']) mkdirSync(join(temp.path, d), { recursive: true })
    writeFileSync(join(temp.path, 't/a/b/one'), '1')
    writeFileSync(join(temp.path, 't/a/two'), '22')
    writeFileSync(join(temp.path, 't/c/three'), '333')
    const built = await store.build([{ path: join(temp.path, 't') as AbsPath }])
    const paths = async (selection: Uint8Array): Promise<string[]> =>
      (await all(built)).filter(e => selection[e.index >> 3]! & (1 << (e.index & 7))).map(e => e.path)
    const one = await store.select(built, e => e.path.endsWith('one'))
    assert.deepEqual(await paths(one), ['t', 't/a', 't/a/b', 't/a/b/one'])
    assert.deepEqual(await store.totals(built, one), { entries: 4, files: 1, directories: 3, symlinks: 0, bytes: 1 })
    assert.deepEqual(await paths(await store.select(built, e => e.path === 't/c')), ['t', 't/c'])
    assert.deepEqual(await store.totals(built, 'all'), built.totals)
  })

  it('discards only what is its own', async () => {
    writeFileSync(join(temp.path, 'mine'), '')
    const foreign = { file: join(temp.path, 'mine') as AbsPath, hash: '' as ContentHash, totals: {} as never }
    await assert.rejects(store.discard(foreign), { code: 'NOT_OURS' })
    await assert.rejects(store.discard({ ...foreign, file: join(temp.path, 'kept/../mine') as AbsPath }), {
      code: 'NOT_OURS'
    })
  })
})
