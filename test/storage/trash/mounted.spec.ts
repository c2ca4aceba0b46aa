import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath } from '../../../storage/base/index.js'
import { canMount, mountImage, type TestImage } from '../../mounts.js'
import { tempDir } from '../../temp.js'
import { exists, itemAt, openTrash, type TrashFixture, writeTree } from './fixture.js'

const options = { command: 'file.delete' }

canMount('trash on another volume', () => {
  const dir = tempDir()
  const [one, two] = [join(dir.path, 'one'), join(dir.path, 'two')]
  let fixture: TrashFixture
  let image: TestImage
  before(() => {
    for (const place of [one, two]) mkdirSync(place)
  })
  beforeEach(async () => {
    fixture = await openTrash()
    image = mountImage('ext4', 16)
    image.mount(one)
  })
  afterEach(async () => {
    await fixture.close()
    image.clean()
  })
  after(() => dir.clean())

  it('it lies at the top of the volume, goes away with it and is found where it is mounted next', async () => {
    writeTree(one, { 'deep/in/it/file': 'content', 'deep/tree/x': 'x' })
    const results = await fixture.trash.put(
      [itemAt(join(one, 'deep/in/it/file')), itemAt(join(one, 'deep/tree'))],
      options
    )
    assert.ok(results.every(r => r.done))
    const { entries } = await fixture.trash.list()
    assert.ok(entries.every(e => e.bin?.startsWith(join(one, '.spacedrive/trash/'))))
    assert.ok(exists(join(one, '.spacedrive/root.json')), 'known as ours by every scan')

    await image.unmount()
    assert.deepEqual(
      (await fixture.trash.list()).entries.map(e => e.bin),
      [null, null]
    )
    const ids = entries.map(e => e.id)
    const away = await fixture.trash.restore(ids)
    assert.deepEqual(
      away.map(r => !r.done && r.problem.code),
      ['VOLUME_AWAY', 'VOLUME_AWAY']
    )
    const kept = await fixture.trash.remove({})
    assert.deepEqual([kept.items, kept.problems.length], [0, 2])

    image.mount(two)
    const back = await fixture.trash.restore(ids)
    assert.deepEqual(back.map(r => r.done && r.path).sort(), [join(two, 'deep/in/it/file'), join(two, 'deep/tree')])
    assert.equal(readFileSync(join(two, 'deep/tree/x'), 'utf8'), 'x')
  })

  it('another disk at the old place is not taken for it', async () => {
    writeTree(one, { file: 'content' })
    const [thrown] = await fixture.trash.put([itemAt(join(one, 'file'))], options)
    assert.ok(thrown?.done)
    await image.unmount()
    const other = mountImage('ext4', 16)
    try {
      other.mount(one)
      const [back] = await fixture.trash.restore([thrown.id])
      assert.equal(back && !back.done && back.problem.code, 'VOLUME_AWAY')
    } finally {
      other.clean()
    }
    image.mount(one)
    assert.equal((await fixture.trash.restore([thrown.id]))[0]?.done, true)
  })

  it('what is on another volume than the folder wanted is not restored there', async () => {
    writeTree(one, { file: 'content' })
    const [thrown] = await fixture.trash.put([itemAt(join(one, 'file'))], options)
    assert.ok(thrown?.done)
    const [back] = await fixture.trash.restore([thrown.id], { to: two as AbsPath })
    assert.equal(back && !back.done && back.problem.code, 'OTHER_FILE_SYSTEM')
    assert.equal((await fixture.trash.list()).totals.items, 1)
  })

  it('a lost database finds the bins at the tops of volumes', async () => {
    writeTree(one, { file: 'content' })
    await fixture.trash.put([itemAt(join(one, 'file'))], options)
    await fixture.restart(dataDir => {
      for (const end of ['', '-wal', '-shm']) rmSync(join(dataDir, `instance.db${end}`), { force: true })
    })
    const { entries } = await fixture.trash.list()
    assert.deepEqual(
      entries.map(e => e.path),
      [join(one, 'file')]
    )
    assert.equal((await fixture.trash.restore(entries.map(e => e.id)))[0]?.done, true)
  })

  it('a database whose disk is full: what no list would name is where it was', async () => {
    const small = mountImage('tmpfs', 4)
    const data = join(dir.path, 'data')
    mkdirSync(data)
    small.mount(data)
    const full = await openTrash(undefined, data as AbsPath)
    try {
      const names = Array.from({ length: 1_000 }, (_, i) => `${'n'.repeat(200)}-${i}`)
      writeTree(one, Object.fromEntries(names.map(name => [name, name])))
      const items = () => names.map(name => itemAt(join(one, name)))
      try {
        for (let n = 0; ; n++) writeFileSync(join(data, `ballast-${n}`), Buffer.alloc(4_096))
      } catch {}
      const results = await full.trash.put(items(), options)
      assert.deepEqual([...new Set(results.map(r => (r.done ? 'done' : r.problem.code)))], ['NO_SPACE'])
      assert.equal(names.filter(name => exists(join(one, name))).length, names.length)
      for (const name of readdirSync(data)) if (name.startsWith('ballast')) rmSync(join(data, name))
      assert.equal((await full.trash.list()).totals.items, 0)
      assert.ok((await full.trash.put(items(), options)).every(r => r.done))
    } finally {
      await full.close()
      small.clean()
    }
  })
})
