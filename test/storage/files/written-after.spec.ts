import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { PlaceResult, PlaceStep } from '../../../storage/files/index.js'
import { DISKS, type Kit, openKit, rel, spied } from './kit.js'

const [PLACED, EDITED] = ['as it came', 'as somebody left it']
const ALIKE = 'as it left'

/** As whoever packs files out, or puts a time back: of another content the same size and the same time. */
function writeAlike(path: string): void {
  tick(path)
  alike(path, path)
}

/** The same by another file that takes its name, as `cp -p` and a rename do. */
function replaceAlike(path: string): void {
  alike(path, `${path}.new`)
  renameSync(`${path}.new`, path)
}

function alike(path: string, to: string): void {
  const times = `${path}.times`
  execFileSync('touch', ['-r', path, times]) // Node's own call sets no nanoseconds
  writeFileSync(to, ALIKE)
  execFileSync('touch', ['-r', times, to])
  rmSync(times)
}

/** Until a write shows in the change time: its steps are some milliseconds. */
function tick(path: string): void {
  const { ctimeNs } = lstatSync(path, { bigint: true })
  const other = `${path}.tick`
  do writeFileSync(other, '')
  while (lstatSync(other, { bigint: true }).ctimeNs <= ctimeNs)
  rmSync(other)
}

for (const [name, disk] of DISKS) {
  describe(`a file that is written to as soon as it has its name: ${name}`, () => {
    let kit: Kit
    let watches: boolean
    /** Of the file, in seconds, from which on it is written to. */
    let mtime: number | undefined
    let write: (path: string) => void
    /** While what was placed is made durable, and not before. */
    let duringSync: boolean
    beforeEach(async () => {
      watches = false
      kit = await openKit(
        spied(disk(), name => {
          if (duringSync && name !== 'sync' && name !== 'syncAll') return
          // At the first call after the one that gave it.
          if (!watches || !existsSync(kit.at('f')) || readFileSync(kit.at('f'), 'utf8') !== PLACED) return
          if (mtime !== undefined && lstatSync(kit.at('f')).mtimeMs !== mtime * 1_000) return
          watches = false
          write(kit.at('f'))
        })
      )
      await kit.stage({ new: PLACED })
      watches = true
      duringSync = false
      mtime = undefined
      write = path => writeFileSync(path, EDITED)
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

    describe('with its size and time put back', () => {
      beforeEach(() => {
        duringSync = true
      })
      const steps = [
        ['created', (): PlaceStep => ({ kind: 'create', path: rel('f'), from: from() })],
        ['replaced', replace]
      ] as const
      const ways = [
        ['in place', writeAlike],
        ['by another file', replaceAlike]
      ] as const
      for (const [what, step] of steps)
        for (const [how, by] of ways)
          for (const group of [false, true])
            it(`${what}${group ? ' in a group' : ''}, ${how}: its change time tells`, async () => {
              write = by
              const [result] = await (group ? kit.root.placeGroup([step()]) : kit.root.place([step()]))
              const now = lstatSync(kit.at('f'), { bigint: true })
              assert.equal(readFileSync(kit.at('f'), 'utf8'), ALIKE)
              assert.ok(result?.done && result.stat !== undefined)
              assert.notEqual(result.stat.ctimeNs, now.ctimeNs)
            })
    })
  })
}
