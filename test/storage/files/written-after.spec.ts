import assert from 'node:assert/strict'
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import type { PlaceResult, PlaceStep } from '../../../storage/files/index.js'
import { DISKS, type Kit, openKit, rel, spied } from './kit.js'

const [PLACED, EDITED] = ['as it came', 'as somebody left it']

for (const [name, disk] of DISKS) {
  describe(`a file that is written to as soon as it has its name: ${name}`, () => {
    let kit: Kit
    let watches: boolean
    /** Of the file, in seconds, from which on it is written to. */
    let mtime: number | undefined
    beforeEach(async () => {
      watches = false
      kit = await openKit(
        spied(disk(), () => {
          // At the first call after the one that gave it.
          if (!watches || !existsSync(kit.at('f')) || readFileSync(kit.at('f'), 'utf8') !== PLACED) return
          if (mtime !== undefined && lstatSync(kit.at('f')).mtimeMs !== mtime * 1_000) return
          watches = false
          writeFileSync(kit.at('f'), EDITED)
        })
      )
      await kit.stage({ new: PLACED })
      watches = true
      mtime = undefined
    })
    afterEach(() => kit.clean())

    function told([result]: readonly PlaceResult[]): void {
      assert.equal(readFileSync(kit.at('f'), 'utf8'), EDITED)
      assert.ok(result?.done)
      // Not that of the edit: who takes it for that of what was placed would never find the edit.
      assert.equal(result.stat?.sizeBytes, PLACED.length)
      assert.notEqual(result.stat?.mtimeNs, lstatSync(kit.at('f'), { bigint: true }).mtimeNs)
    }
    const from = () => kit.from('new')
    const replace = (): PlaceStep => {
      writeFileSync(kit.at('f'), 'as it was')
      const { size, mtimeNs, ino } = lstatSync(kit.at('f'), { bigint: true })
      const expected = { kind: 'file', sizeBytes: Number(size), mtimeNs, inode: ino } as const
      return { kind: 'replace', path: rel('f'), from: from(), expected, aside: kit.from('aside/f') }
    }

    it('created, it is told as it was placed', async () =>
      told(await kit.root.place([{ kind: 'create', path: rel('f'), from: from() }])))
    it('so when it replaced something', async () => told(await kit.root.place([replace()])))
    it('so when it got other attributes', async () => {
      mtime = 1
      writeFileSync(kit.at('f'), PLACED)
      const { size, mtimeNs, ino } = lstatSync(kit.at('f'), { bigint: true })
      const expected = { kind: 'file', sizeBytes: Number(size), mtimeNs, inode: ino } as const
      const step: PlaceStep = { kind: 'attributes', path: rel('f'), expected, mode: 0o640, mtimeNs: 1_000_000_000n }
      const results = await kit.root.place([step])
      told(results)
      assert.equal(results[0]?.done && results[0].stat?.mtimeNs, 1_000_000_000n)
    })
    it('so when it came in a group', async () =>
      told(await kit.root.placeGroup([{ kind: 'create', path: rel('f'), from: from() }])))
    it('so when it replaced something in a group', async () => told(await kit.root.placeGroup([replace()])))
  })
}
