import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { type FileName, fsPath, type RelPath, ROOT, type WorkerPool, workerPool } from '../../../storage/base/index.js'
import { hashBytes, hashFromBytes } from '../../../storage/content/index.js'
import {
  type FileRoot,
  type Files,
  openFiles,
  ownerTag,
  type StagedEntry,
  type Staging
} from '../../../storage/files/index.js'
import { tempDir } from '../../temp.js'
import { pack } from './pack.js'

const rel = (path: string): RelPath => path as RelPath
const name = (path: string): FileName => path as FileName

describe('staging', () => {
  let pool: WorkerPool
  let files: Files
  let root: FileRoot
  let staging: Staging
  let dir: ReturnType<typeof tempDir>
  before(() => {
    pool = workerPool(2)
  })
  after(() => pool.close())
  beforeEach(async () => {
    dir = tempDir()
    files = openFiles({ pool, owner: ownerTag('one') })
    root = await files.openRoot(dir.path)
    staging = await root.openStaging(randomUUID())
  })
  afterEach(async () => {
    await files.close()
    dir.clean()
  })
  const at = (path: string): string => join(dir.path, path)
  const write = async (contents: Record<string, string | Buffer>): Promise<void> => {
    const { entries, data } = pack(contents)
    assert.deepEqual((await staging.write(entries, data)).problems, [])
  }

  it('small files, links and empty directories arrive whole, with modes and times exact to the nanosecond', async () => {
    const mtimeNs = 1_700_000_000_123_456_789n
    const { entries, data } = pack({ 'd/a': 'alpha', 'd/e/b': 'beta', 'd/empty': '' })
    const report = await staging.write(
      [
        ...entries.map(e => ({ ...e, mode: 0o640, mtimeNs }) as StagedEntry),
        { kind: 'directory', path: rel('d/nothing') },
        { kind: 'symlink', path: rel('d/link'), target: '../nowhere', mtimeNs }
      ],
      data
    )
    assert.deepEqual(report.problems, [])
    assert.equal(hashFromBytes(report.hashes.subarray(0, 32)), hashBytes(Buffer.from('alpha')))
    await staging.setDirectoryAttributes([{ path: rel('d/e'), mode: 0o500, mtimeNs: 5n }])
    const [moved] = await staging.moveInto(ROOT, [{ from: name('d'), mode: 0o750, mtimeNs: 7_000_000_001n }])
    assert.equal(moved?.path, at('d'))
    await staging.discard()
    assert.deepEqual(readdirSync(dir.path), ['d'])
    assert.deepEqual(readdirSync(at('d')).sort(), ['a', 'e', 'empty', 'link', 'nothing'])
    assert.equal(readFileSync(at('d/e/b'), 'utf8'), 'beta')
    assert.equal(readlinkSync(at('d/link')), '../nowhere')
    const stat = (path: string) => lstatSync(at(path), { bigint: true })
    for (const path of ['d/a', 'd/e/b', 'd/empty', 'd/link']) assert.equal(stat(path).mtimeNs, mtimeNs, path)
    assert.equal(Number(stat('d/a').mode) & 0o7777, 0o640)
    assert.deepEqual([Number(stat('d/e').mode) & 0o7777, stat('d/e').mtimeNs], [0o500, 5n])
    assert.deepEqual([Number(stat('d').mode) & 0o7777, stat('d').mtimeNs], [0o750, 7_000_000_001n])
  })
  it('unless told, a file gets the mode of an ordinary new one, never a set-id bit', async () => {
    writeFileSync(at('ordinary'), '')
    const { entries, data } = pack({ plain: 'x', setuid: 'y' })
    await staging.write([entries[0]!, { ...entries[1]!, mode: 0o6755 } as StagedEntry], data)
    await staging.moveInto(ROOT, [{ from: name('plain') }, { from: name('setuid') }])
    assert.equal(lstatSync(at('plain')).mode, lstatSync(at('ordinary')).mode)
    assert.equal(lstatSync(at('setuid')).mode & 0o7777, 0o755)
  })
  it('content that is not what was announced is a problem of that file and leaves nothing', async () => {
    const { entries, data } = pack({ good: 'good', bad: 'bad' })
    const { problems } = await staging.write(
      [entries[0]!, { ...entries[1]!, hash: hashBytes(Buffer.from('!')) } as StagedEntry],
      data
    )
    assert.deepEqual(
      problems.map(p => [p.index, p.path, p.code]),
      [[1, 'bad', 'HASH_MISMATCH']]
    )
    await assert.rejects(staging.moveInto(ROOT, [{ from: name('good') }, { from: name('bad') }]), { code: 'MISSING' })
    assert.deepEqual(
      readdirSync(dir.path).filter(n => !n.startsWith('.')),
      []
    )
  })
  it('names: 255 bytes and not UTF-8 are taken, 256 bytes are a problem of that name', async () => {
    const long = 'n'.repeat(255)
    const { entries, data } = pack({ [long]: '1', 'odd-\udcff\udc80': '2', ['é'.repeat(128)]: '3' })
    const { problems } = await staging.write(entries, data)
    assert.deepEqual(
      problems.map(p => [p.index, p.code]),
      [[2, 'NAME_TOO_LONG']]
    )
    await staging.moveInto(ROOT, [{ from: name(long) }, { from: name('odd-\udcff\udc80') }])
    assert.equal(readFileSync(fsPath(at('odd-\udcff\udc80')), 'utf8'), '2')
    const [again] = await moveAgain(long)
    assert.equal(again?.name, `${'n'.repeat(251)} (1)`)
  })
  async function moveAgain(wanted: string) {
    const second = await root.openStaging(randomUUID())
    const { entries, data } = pack({ x: 'second' })
    await second.write(entries, data)
    return second.moveInto(ROOT, [{ from: name('x'), as: name(wanted) }])
  }
  it('nothing is ever written through a link that came with it', async () => {
    mkdirSync(at('outside'))
    await staging.write([{ kind: 'symlink', path: rel('t/link'), target: at('outside') }], new Uint8Array(0))
    const { entries, data } = pack({ 't/link/evil': 'x' })
    const { problems } = await staging.write(entries, data)
    assert.equal(problems[0]?.code, 'LINK_IN_PATH')
    await assert.rejects(staging.openFile(rel('t/link/evil'), { sizeBytes: 1 }), { code: 'LINK_IN_PATH' })
    assert.deepEqual(readdirSync(at('outside')), [])
  })
  it('a file in the place of a directory, and the other way round, are problems', async () => {
    await write({ a: '1', 'b/c': '2' })
    const { entries, data } = pack({ 'a/x': '1', b: '2' })
    const { problems } = await staging.write(entries, data)
    assert.deepEqual(
      problems.map(p => p.code),
      ['LINK_IN_PATH', 'EXISTS']
    )
  })
  it('what was staged before is written anew', async () => {
    await write({ a: 'first' })
    await write({ a: 'second' })
    await staging.moveInto(ROOT, [{ from: name('a') }])
    assert.equal(readFileSync(at('a'), 'utf8'), 'second')
  })
  it('verify tells what lies whole from what does not', async () => {
    await write({ whole: 'whole', other: 'other', short: 'short' })
    const want = (path: string, content: string) => ({
      path: rel(path),
      sizeBytes: content.length,
      hash: hashBytes(Buffer.from(content))
    })
    assert.deepEqual(
      await staging.verify([
        want('whole', 'whole'),
        want('other', 'OTHER'),
        want('short', 'longer'),
        want('no/ne', '')
      ]),
      ['whole', 'different', 'different', 'missing']
    )
  })
  it('a staging place outlives its daemon: the same id finds what was staged', async () => {
    await write({ a: 'kept' })
    await files.close()
    files = openFiles({ pool, owner: ownerTag('one') })
    root = await files.openRoot(dir.path)
    staging = await root.openStaging(staging.id)
    assert.deepEqual(await staging.verify([{ path: rel('a'), sizeBytes: 4, hash: hashBytes(Buffer.from('kept')) }]), [
      'whole'
    ])
  })
  it('an id that is no UUID is refused, and one that is open is not opened twice', async () => {
    for (const id of ['../..', '', 'x', `${staging.id}/..`])
      await assert.rejects(root.openStaging(id), { code: 'INVALID_ID' })
    await assert.rejects(root.openStaging(staging.id), { code: 'STAGING_IN_USE' })
  })
  it('after discard nothing is left and nothing is taken', async () => {
    await write({ 'a/b/c': 'x' })
    await staging.setDirectoryAttributes([
      { path: rel('a/b'), mode: 0 },
      { path: rel('a'), mode: 0o500 }
    ])
    await staging.discard()
    assert.deepEqual(readdirSync(dir.path), [])
    await assert.rejects(staging.write([], new Uint8Array(0)), { code: 'STAGING_GONE' })
  })
  it('a staging place whose name is a link or belongs to a link is not used', async () => {
    const id = randomUUID()
    mkdirSync(at('elsewhere'))
    symlinkSync('elsewhere', at(`.spacedrive-tmp-${ownerTag('one')}-${id}`))
    await assert.rejects(root.openStaging(id), { code: 'LINK_IN_PATH' })
    symlinkSync('elsewhere', at('.spacedrive'))
    await assert.rejects(root.openStaging(randomUUID(), { where: 'area' }), { code: 'LINK_IN_PATH' })
    assert.deepEqual(readdirSync(at('elsewhere')), [])
  })
  it('the area is marked as ours', async () => {
    const place = await root.openStaging(randomUUID(), { where: 'area' })
    const { entries, data } = pack({ a: 'x' })
    await place.write(entries, data)
    await place.moveInto(ROOT, [{ from: name('a') }])
    await place.discard()
    assert.deepEqual(readdirSync(at('.spacedrive')).sort(), ['.gitignore', 'root.json', 'staging'])
    assert.deepEqual(readdirSync(at('.spacedrive/staging')), [])
    assert.match(JSON.parse(readFileSync(at('.spacedrive/root.json'), 'utf8')).root, /^[0-9a-f-]{36}$/)
  })
  it('a root that was moved away meanwhile is noticed before anything gets a name', async () => {
    await write({ a: 'x' })
    renameSync(dir.path, `${dir.path}.moved`)
    try {
      mkdirSync(dir.path)
      await assert.rejects(staging.moveInto(ROOT, [{ from: name('a') }]), { code: 'ROOT_MOVED' })
      assert.deepEqual(readdirSync(dir.path), [])
    } finally {
      await files.close()
      renameSync(`${dir.path}.moved`, `${dir.path}/was`)
    }
  })
})
