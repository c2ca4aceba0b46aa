import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ToldTable } from '../../../sync/analysis/index.js'
import type { TreeEntry } from '../../../sync/endpoints/index.js'

const entry = (path: string, size: number): TreeEntry => ({
  path: path as never,
  stat: {
    ...{ kind: 'file', sizeBytes: size, mtimeNs: 1n, ctimeNs: 1n, birthNs: 1n, device: 1n, inode: 1n, mount: 0n },
    ...{ mode: 0o644, links: 1, uid: 0 }
  }
})

describe('a table of what was told', () => {
  it('says the same as a map, whatever is told and met', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.string({ maxLength: 4 }), fc.nat(3)), { maxLength: 300 })
    fc.assert(
      fc.property(steps, fc.uint8Array({ minLength: 16, maxLength: 16 }), (list, seed) => {
        const table = new ToldTable(seed)
        const model = new Map<string, { size: number; met: boolean }>()
        for (const [add, path, size] of list) {
          const known = model.get(path)
          if (add) {
            table.add(entry(path, size))
            model.set(path, { size, met: known?.met ?? false })
          } else {
            const expected = known === undefined ? 'new' : known.size === size ? 'same' : 'changed'
            assert.equal(table.meet(entry(path, size)), expected)
            if (known !== undefined) known.met = true
          }
        }
        assert.equal(table.size, model.size)
        assert.equal(table.unmet, [...model.values()].filter(m => !m.met).length)
      })
    )
  })
  it('holds fifty thousand in a few megabytes', () => {
    const table = new ToldTable(new Uint8Array(16).fill(7))
    const count = 50_000
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < count; i++) table.add(entry(`some/folder/${i % 100}/file-${i}`, i))
    assert.ok(process.memoryUsage().arrayBuffers - before < 64 * count)
    let same = 0
    for (let i = 0; i < count; i++) if (table.meet(entry(`some/folder/${i % 100}/file-${i}`, i)) === 'same') same++
    assert.equal(same, count)
    assert.equal(table.meet(entry('some/folder/0/file-0', 1)), 'changed')
    assert.equal(table.meet(entry('some/folder/1/file-0', 0)), 'new')
  })
})
