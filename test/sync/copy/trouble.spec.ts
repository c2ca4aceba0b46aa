import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type RelPath, workerPool } from '../../../storage/base/index.js'
import { Copier, nodeDisk, openFiles, ownerTag } from '../../../storage/files/index.js'
import { canMount, mountImage, type TestImage } from '../../mounts.js'
import { tempDir } from '../../temp.js'
import { withoutRoot } from '../../unprivileged.js'
import { type CopyKit, openCopies } from './fixture.js'
import { file, folder, makeTree, readTree } from './trees.js'

const ROLE = fileURLToPath(new URL('./unprivileged-role.js', import.meta.url))

describe('copy: what changes while it is copied', () => {
  const rel = (path: string): RelPath => path as RelPath
  const how = { strategy: 'kernel', owner: false, xattrs: false } as const

  for (const [what, change, code] of [
    ['grows', (path: string) => appendFileSync(path, 'more'), 'CHANGED'],
    ['shrinks', (path: string) => writeFileSync(path, 'x'), 'CHANGED'],
    ['goes after it was opened: what was opened is copied', (path: string) => unlinkSync(path), undefined]
  ] as const) {
    it(`a file that ${what}`, async () => {
      const temp = tempDir()
      const pool = workerPool(1)
      const files = openFiles({ pool, owner: ownerTag('test') })
      try {
        makeTree(temp.path, { from: folder(), to: folder() })
        const path = `${temp.path}/from/f`
        writeFileSync(path, Buffer.alloc(20 << 20, 7))
        const root = await files.openRoot(`${temp.path}/to` as never)
        const staging = await root.openStaging(randomUUID())
        const source = await files.openSource(`${temp.path}/from` as never)
        const copier = new Copier(nodeDisk(), { source: source.handle, target: root.handle, staging: staging.handle })
        let changed = false
        const between = async (): Promise<void> => {
          if (!changed) change(path)
          changed = true
        }
        const copying = copier.stageFile(rel('f'), rel('s'), { ...how, between })
        if (code === undefined) assert.equal((await copying).stat.sizeBytes, 20 << 20)
        else {
          await assert.rejects(copying, { code })
          assert.deepEqual(readdirSync(staging.contentPath), [])
        }
        await assert.rejects(copier.stageFile(rel('gone'), rel('s2'), { ...how, between }), { code: 'MISSING' })
        copier.close()
        await source.close()
      } finally {
        await files.close()
        await pool.close()
        temp.clean()
      }
    })
  }
})

withoutRoot('copy without root', ROLE, () => {
  it('what may not be read or written is listed, the rest is copied', () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [ROLE], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), {
      state: 'completed-with-problems',
      copied: 1,
      problems: ['from/closed NO_PERMISSION', 'from/open/b NO_PERMISSION', 'from/secret NO_PERMISSION'],
      refused: 'NO_PERMISSION'
    })
  })
})

canMount('copy: other volumes', () => {
  let kit: CopyKit
  let image: TestImage
  beforeEach(async () => {
    image = mountImage('ext4', 64)
    kit = await openCopies()
    makeTree(kit.dir, { usb: folder() })
    image.mount(kit.at('usb'))
  })
  afterEach(() => kit.clean(() => image.clean()))

  it('a move copies, reads back, and then takes the source away, with the times of its folders', async () => {
    makeTree(kit.at('from'), { 'a/b': file('1', 0o600, 5), a: folder(0o750, 6), big: file('x'.repeat(400_000)) })
    const before = readTree(kit.at('from'))
    const result = await kit.copy(['from'], 'usb/to', { operation: 'move' })
    assert.deepEqual([result.state, result.copied, result.removed], ['completed', 2, 2])
    assert.deepEqual(result.strategies, { stream: 2 })
    assert.deepEqual(readTree(kit.at('usb/to')), before)
    assert.equal(existsSync(kit.at('from')), false)
  })

  it('a copy that does not fit is refused before much is written', async () => {
    makeTree(kit.at('from'), { a: file('a') })
    for (let i = 0; i < 9; i++) writeFileSync(kit.at('from', `b${i}`), Buffer.alloc(8 << 20, i))
    await assert.rejects(kit.copy(['from'], 'usb/to'), { code: 'NO_SPACE' })
    assert.deepEqual(
      readdirSync(kit.at('usb')).filter(n => n.startsWith('.spacedrive')),
      []
    )
  })

  it('what does not fit beside what is there already stops cleanly: what was copied is whole', async () => {
    makeTree(kit.at('from'), { a: file('a') })
    for (let i = 0; i < 9; i++) writeFileSync(kit.at('from', `b${i}`), Buffer.alloc(8 << 20, i))
    makeTree(kit.at('usb/to/from'), { old: file('old') })
    await assert.rejects(kit.copy(['from'], 'usb/to'), { code: 'NO_SPACE' })
    for (const name of readdirSync(kit.at('usb/to/from'))) {
      if (name === 'old') continue
      assert.equal(statSync(kit.at('usb/to/from', name)).size, statSync(kit.at('from', name)).size, name)
    }
    assert.deepEqual(readdirSync(kit.at('usb/to')), ['from'])
    assert.equal(readFileSync(kit.at('from/a'), 'utf8'), 'a')
  })
})

describe('move: a source that is written to after it was copied', () => {
  it('stays where it is, with what was written', async () => {
    const temp = tempDir()
    const pool = workerPool(1)
    const files = openFiles({ pool, owner: ownerTag('test') })
    try {
      makeTree(temp.path, { 'from/f': file('copied') })
      const source = await files.openSource(`${temp.path}/from` as never)
      for (const disk of [nodeDisk(), { ...nodeDisk(), link: noLinks }]) {
        const copier = new Copier(disk, { source: source.handle })
        const seen = copier.lookSource('f' as RelPath)!
        appendFileSync(`${temp.path}/from/f`, ', and more')
        assert.throws(() => copier.removeSource('f' as RelPath, seen), { code: 'CHANGED' })
        assert.deepEqual(readdirSync(`${temp.path}/from`), ['f'])
        copier.close()
      }
      assert.equal(readFileSync(`${temp.path}/from/f`, 'utf8'), 'copied, and more, and more')
      await source.close()
    } finally {
      await files.close()
      await pool.close()
      temp.clean()
    }
  })
})

function noLinks(): never {
  throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' })
}
