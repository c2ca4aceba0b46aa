import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import type { RelPath } from '../../../storage/base/index.js'
import { type Disk, nodeDisk } from '../../../storage/files/index.js'
import { tempDir } from '../../temp.js'

describe('names and paths as system calls take them', () => {
  let temp: ReturnType<typeof tempDir>
  let disk: Disk
  beforeEach(() => {
    temp = tempDir()
    disk = nodeDisk()
  })
  afterEach(() => temp.clean())

  for (const length of [511, 512, 513, 1_500])
    it(`a way of ${length} bytes leads to that directory and no other`, () => {
      const names = Array.from({ length: Math.ceil(length / 101) }, (_, i) => String(i % 10).repeat(100))
      const rel = names.join('/').slice(0, length).replace(/\/$/, 'x') as RelPath
      mkdirSync(`${temp.path}/${rel}`, { recursive: true })
      writeFileSync(`${temp.path}/${rel}/here`, '')
      const root = disk.openRoot(temp.path)
      const dir = disk.openDir(root, rel)
      assert.equal(rel.length, length)
      assert.deepEqual(disk.list(dir), ['here'])
      disk.close(dir)
      disk.close(root)
    })

  for (const [why, from, to] of [
    ['a long and a short one', 'a'.repeat(255), 'b'],
    ['a short one and one that is not ASCII', 'a', 'é'.repeat(120)],
    ['one that is no text', 'a\udc80', 'b\udcff']
  ] as const)
    it(`two names in one call: ${why}`, () => {
      const root = disk.openRoot(temp.path)
      disk.close(disk.open(root, from, 'create', 0o644))
      disk.rename(root, from, root, to, 'noreplace')
      assert.deepEqual(disk.list(root), [to])
      assert.equal(readdirSync(temp.path).length, 1)
      disk.close(root)
    })

  it('a name with a zero in it is refused, wherever the zero is', () => {
    const root = disk.openRoot(temp.path)
    for (const name of ['\0', 'a\0b', 'é\0', `${'a'.repeat(600)}\0`])
      assert.throws(() => disk.open(root, name, 'create', 0o644), { code: 'EINVAL' })
    assert.deepEqual(readdirSync(temp.path), [])
    disk.close(root)
  })
})
