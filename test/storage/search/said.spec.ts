import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type AbsPath, type LocationId, pathBytes } from '../../../storage/base/index.js'
import { annotating, describing, labelling, type Target, tagging } from '../../../storage/entries/index.js'
import { DEFAULT_RULES, type IndexLocation } from '../../../storage/indexer/index.js'
import { type SearchFilters, type SearchHit, type SearchRequest, search } from '../../../storage/search/index.js'
import { type IndexFixture, indexFixture } from '../indexer/index-fixture.js'
import { locating } from '../indexer/locating.worker.js'

describe('search by what people said', () => {
  let f: IndexFixture
  let here: IndexLocation
  let synced: IndexLocation
  /** Indexed by the library; by the one that the instance keeps for itself; by none. */
  let dirs: { here: string; synced: string; loose: string }

  const ask = async (request: SearchRequest, network: readonly string[] = []): Promise<readonly SearchHit[]> => {
    const init = { pool: f.pool, own: () => f.manager.own, networkMounts: () => network as AbsPath[] }
    return (await search(init).search(f.library, request)).hits
  }
  const find = async (filters: SearchFilters, text = ''): Promise<SearchHit[]> => [...(await ask({ text, filters }))]
  const names = async (filters: SearchFilters, text = ''): Promise<string[]> =>
    (await find(filters, text)).map(h => h.name).sort()
  const target = (path: string): Target => {
    const { ino, birthtimeNs } = lstatSync(path, { bigint: true })
    return { path: path as AbsPath, inode: ino, birthNs: birthtimeNs }
  }
  const tag = (name: string, ...paths: string[]) =>
    f.library.database.write(tagging.add, {
      ...{ host: f.library.host, nowMs: 1, name, targets: paths.map(target) }
    })
  const label = (name: string, ...paths: string[]) =>
    f.library.database.write(labelling.add, {
      ...{ host: f.library.host, nowMs: 1, name, targets: paths.map(target) }
    })
  const labels = async () =>
    (await f.pool.run(labelling.list, { databaseFile: f.library.database.file })).map(l => [l.name, l.count])

  before(async () => {
    f = await indexFixture()
    dirs = { here: f.tree, synced: `${f.dir}/synced`, loose: `${f.dir}/loose` }
    for (const [where, dir] of Object.entries(dirs)) {
      mkdirSync(dir, { recursive: true })
      writeFileSync(`${dir}/${where}.txt`, where)
    }
    here = await f.location()
    await f.indexer.index({ library: f.library, location: here })
    const { own } = f.manager
    const rules = JSON.stringify(DEFAULT_RULES)
    const row = { host: own.host, path: pathBytes(dirs.synced), rules, versioned: true, name: 'Synced' }
    const number = await own.database.write(locating.add, row)
    const path = dirs.synced as AbsPath
    synced = {
      id: `location-${number}` as LocationId,
      number,
      path,
      mode: 'content',
      rules: DEFAULT_RULES,
      versioned: true
    }
    await f.indexer.index({ library: own, location: synced })
  })
  after(() => f.close())

  it('a tag is found on files of the library, of a synced folder, and on those that nothing indexes', async () => {
    await tag('everywhere', `${dirs.here}/here.txt`, `${dirs.synced}/synced.txt`, `${dirs.loose}/loose.txt`)
    const hits = await find({ tags: ['everywhere'] })
    assert.deepEqual(hits.map(h => [h.name, h.id !== null, h.available, h.tags]).sort(), [
      ['here.txt', true, true, ['everywhere']],
      ['loose.txt', false, true, ['everywhere']],
      ['synced.txt', true, true, ['everywhere']]
    ])
    assert.notEqual(hits.find(h => h.name === 'synced.txt')!.hash, null)
    assert.deepEqual(await names({ tags: ['everywhere'] }, 'oos'), ['loose.txt'])
    assert.deepEqual(await names({ tags: ['everywhere'], kinds: ['folder'] }), [])
    assert.deepEqual(await names({ tags: ['everywhere'], location: 'Synced' }), ['synced.txt'])
    await assert.rejects(find({ tags: ['nobody made it'] }), { code: 'BAD_INPUT' })
  })

  it('pages over all of them follow one another', async () => {
    const page = async (offset: number) =>
      (await ask({ text: '', filters: { tags: ['everywhere'] }, limit: 1, offset })).map(h => h.name)
    assert.deepEqual([...(await page(0)), ...(await page(1)), ...(await page(2)), ...(await page(3))].sort(), [
      'here.txt',
      'loose.txt',
      'synced.txt'
    ])
  })

  it('a tag follows a file of a synced folder to another name', async () => {
    renameSync(`${dirs.synced}/synced.txt`, `${dirs.synced}/moved.txt`)
    await f.indexer.index({ library: f.manager.own, location: synced })
    assert.ok((await names({ tags: ['everywhere'] })).includes('moved.txt'))
  })

  it('a file that nothing indexes is known again under another name, and told as gone when it is', async () => {
    renameSync(`${dirs.loose}/loose.txt`, `${dirs.loose}/other.txt`)
    const input = { databaseFile: f.library.database.file, host: f.library.host }
    const { said } = await f.pool.run(describing.describe, { ...input, target: target(`${dirs.loose}/other.txt`) })
    assert.deepEqual(said.tags, ['everywhere'])
    await tag('again', `${dirs.loose}/other.txt`)
    assert.deepEqual(
      (await find({ tags: ['again', 'everywhere'] })).map(h => h.path),
      [`${dirs.loose}/other.txt`]
    )
    rmSync(`${dirs.loose}/other.txt`)
    assert.deepEqual(
      (await find({ tags: ['again'] })).map(h => h.available),
      [false]
    )
    const gone: Target = { path: `${dirs.loose}/other.txt` as AbsPath, inode: null, birthNs: null }
    const removed = await f.library.database.write(tagging.remove, {
      ...{ host: f.library.host, name: 'again', targets: [gone] }
    })
    assert.deepEqual([removed, await names({ tags: ['again'] })], [1, []])
  })

  it('a label is found by its own path and by the wider one; counted, renamed, moved and dropped with what is below it', async () => {
    await label('Projects/Web', `${dirs.here}/here.txt`)
    await label('Projects', `${dirs.synced}/moved.txt`)
    assert.deepEqual(await names({ labels: ['Projects'] }), ['here.txt', 'moved.txt'])
    assert.deepEqual(await names({ labels: ['Projects/Web'] }), ['here.txt'])
    assert.deepEqual(await names({ labels: ['projects/web'], tags: ['everywhere'] }), ['here.txt'])
    assert.deepEqual((await find({ labels: ['Projects/Web'] }))[0]!.labels, ['Projects/Web'])
    assert.deepEqual(await labels(), [
      ['Projects', 2],
      ['Projects/Web', 1]
    ])
    const change = (name: string, to: string) => f.library.database.write(labelling.change, { name, to, nowMs: 2 })
    await change('Projects/Web', 'Work/Site')
    assert.deepEqual(await names({ labels: ['Work'] }), ['here.txt'])
    await assert.rejects(change('Work', 'Work/Site/Deep'), { code: 'BAD_INPUT' })
    await assert.rejects(change('Work/Site', 'Projects'), { code: 'EXISTS' })
    await assert.rejects(label('a/ b', `${dirs.here}/here.txt`), { code: 'BAD_INPUT' })
    await assert.rejects(find({ labels: ['None'] }), { code: 'LABEL_NOT_FOUND' })
    await f.library.database.write(labelling.drop, { name: 'Work' })
    assert.deepEqual(await labels(), [['Projects', 1]])
  })

  it('names, levels and notes at their limits', async () => {
    const path = `${dirs.here}/here.txt`
    await tag('x'.repeat(100), path)
    await assert.rejects(tag('x'.repeat(101), path), { code: 'BAD_INPUT' })
    await label(Array(16).fill('l').join('/'), path)
    await assert.rejects(label(Array(17).fill('l').join('/'), path), { code: 'BAD_INPUT' })
    const note = (notes: string) =>
      f.library.database.write(annotating.say, { host: f.library.host, nowMs: 1, target: target(path), notes })
    await note('n'.repeat(65_536))
    await assert.rejects(note('n'.repeat(65_537)), { code: 'TOO_LARGE' })
  })

  it('of files that nothing indexes a search looks at as many as it shows, and at 10,000 at most', async () => {
    const folder = `${dirs.loose}/many`
    mkdirSync(folder)
    const targets = Array.from({ length: 10_001 }, (_, i) => ({
      path: `${folder}/${i}.txt` as AbsPath,
      ...{ inode: null, birthNs: null }
    }))
    await f.library.database.write(tagging.add, { host: f.library.host, nowMs: 1, name: 'many', targets })
    const at = async (offset: number, filters: SearchFilters = {}) =>
      (await ask({ text: '', filters: { tags: ['many'], ...filters }, limit: 1, offset })).map(h => h.path)
    assert.equal((await at(9_999)).length, 1)
    assert.equal((await at(10_000)).length, 0)
    // The order is by length, and the newest first: this is the one that is looked at last.
    writeFileSync(`${folder}/1000.txt`, 'large enough')
    assert.deepEqual(await names({ tags: ['many'] }, '1000.txt'), ['1000.txt'])
    assert.deepEqual(await at(0, { largerBytes: 5 }), [`${folder}/1000.txt`])
  })

  it('what is hidden, and what lies below a hidden folder, is found only when it is asked for', async () => {
    const hide = (path: string, hidden: boolean) =>
      f.library.database.write(annotating.say, { host: f.library.host, nowMs: 1, target: target(path), hidden })
    for (const dir of Object.values(dirs)) {
      mkdirSync(`${dir}/drawer/inner`, { recursive: true })
      writeFileSync(`${dir}/drawer/inner/sock.txt`, dir)
      writeFileSync(`${dir}/sock.txt`, dir)
    }
    await f.indexer.index({ library: f.library, location: here })
    await f.indexer.index({ library: f.manager.own, location: synced })
    await tag('sock', ...Object.values(dirs).flatMap(dir => [`${dir}/drawer/inner/sock.txt`, `${dir}/sock.txt`]))
    const socks = async (filters: SearchFilters = {}) =>
      (await find({ tags: ['sock'], ...filters }))
        .map(h => Object.values(dirs).indexOf(h.path.slice(0, h.path.indexOf('/', f.dir.length + 1))))
        .sort()
    assert.deepEqual(await socks(), [0, 0, 1, 1, 2, 2])
    for (const dir of Object.values(dirs)) await hide(`${dir}/drawer`, true)
    await hide(`${dirs.here}/sock.txt`, true)
    assert.deepEqual(await socks(), [1, 2])
    assert.deepEqual(await names({}, 'sock'), [], 'by name as well')
    assert.deepEqual(await socks({ excluded: true }), [0, 0, 1, 1, 2, 2])
    const hidden = await find({ hidden: true })
    assert.deepEqual(hidden.map(h => [h.name, h.hidden]).sort(), [
      ...Array(3).fill(['drawer', true]),
      ['sock.txt', true]
    ])
    renameSync(`${dirs.here}/drawer`, `${dirs.here}/chest`)
    await f.indexer.index({ library: f.library, location: here })
    assert.deepEqual(await names({}, 'sock'), [], 'it stays hidden under another name')
    await hide(`${dirs.here}/chest`, false)
    assert.deepEqual(await names({}, 'sock'), ['sock.txt'])
    const nowhere: Target = { path: '/nowhere/at/all' as AbsPath, inode: null, birthNs: null }
    await assert.rejects(
      f.library.database.write(annotating.say, { host: f.library.host, nowMs: 1, target: nowhere, hidden: false }),
      { code: 'NOT_FOUND' }
    )
  })

  it('files below a network mount are told without a look at them', async () => {
    await tag('far', `${dirs.loose}/sock.txt`)
    const available = async (network: readonly string[]) =>
      (await ask({ text: '', filters: { tags: ['far'] } }, network)).map(h => h.available)
    assert.deepEqual([await available([]), await available([dirs.loose])], [[true], [false]])
  })
})
