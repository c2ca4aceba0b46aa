import assert from 'node:assert/strict'
import { readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { type FileName, ROOT } from '../../../storage/base/index.js'
import { nodeDisk, type PlaceStep } from '../../../storage/files/index.js'
import { ensureSpace, RESERVE_BYTES } from '../../../storage/files/root.js'
import { HANDFUL } from '../../../storage/files/tree.js'
import { type Kit, openKit, rel, spied } from './kit.js'

const GIB = 2 ** 30

describe('limits of files', () => {
  for (const [totalBytes, reserveBytes] of [
    [10 * GIB, RESERVE_BYTES],
    [1000 * GIB, 10 * GIB]
  ] as const) {
    it(`of ${totalBytes / GIB} GiB, ${reserveBytes / 2 ** 20} MiB stay free: to the byte`, () => {
      const space = { totalBytes, reserveBytes, freeBytes: reserveBytes + 1000 }
      ensureSpace('/x', space, 1000)
      assert.throws(() => ensureSpace('/x', space, 1001), { code: 'NO_SPACE' })
    })
  }
  it('the reserve of a root is the larger of 1 % and 512 MiB', async () => {
    const kit = await openKit()
    try {
      const { totalBytes, reserveBytes, freeBytes } = await kit.root.space()
      assert.equal(reserveBytes, Math.max(512 * 2 ** 20, Math.ceil(totalBytes / 100)))
      await assert.rejects(kit.root.ensureSpace(freeBytes), { code: 'NO_SPACE', message: /MiB are needed/ })
    } finally {
      await kit.clean()
    }
  })

  describe('a handful', () => {
    let kit: Kit
    let calls: string[] = []
    beforeEach(async () => {
      kit = await openKit(
        spied(nodeDisk(), (call, [what]) => void calls.push(typeof what === 'number' ? `${call} file` : call))
      )
    })
    afterEach(() => kit.clean())
    const count = (call: string): number => calls.filter(c => c === call).length
    const names = (n: number): string[] => Array.from({ length: n }, (_, i) => `f${i}`)

    it('one less than it is synced file by file', async () => {
      const n = HANDFUL - 1
      await kit.stage(Object.fromEntries(names(n).map(name => [name, name])))
      calls = []
      await kit.root.place(
        names(n).map((name): PlaceStep => ({ kind: 'create', path: rel(name), from: kit.from(name) }))
      )
      assert.deepEqual([count('syncAll'), count('sync file')], [0, n])
    })
    it('from it on the whole is synced, twice: content, then names', async () => {
      await kit.stage(Object.fromEntries(names(HANDFUL).map(name => [name, name])))
      calls = []
      await kit.root.place(
        names(HANDFUL).map((name): PlaceStep => ({ kind: 'create', path: rel(name), from: kit.from(name) }))
      )
      assert.deepEqual([count('syncAll'), count('sync file')], [2, 0])
      assert.ok(
        calls.indexOf('syncAll') < calls.indexOf('rename') && calls.lastIndexOf('syncAll') > calls.lastIndexOf('rename')
      )
    })
    it('a drop likewise', async () => {
      for (const [n, all] of [
        [HANDFUL - 2, 0],
        [HANDFUL - 1, 1]
      ] as const) {
        // The directory counts too.
        await kit.stage(Object.fromEntries(names(n).map(name => [`d${n}/${name}`, name])))
        calls = []
        const other = `d${n}` as FileName
        const staging = kit.staging
        await staging.sync()
        assert.equal(count('syncAll'), all, `${n} files`)
        await staging.moveInto(ROOT, [{ from: other }])
        await staging.discard()
        await kit.clean()
        kit = await openKit(
          spied(nodeDisk(), (call, [what]) => void calls.push(typeof what === 'number' ? `${call} file` : call))
        )
      }
    })
  })

  it('far more directories than are kept open are written and placed', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length
    const before = open()
    const kit = await openKit(nodeDisk())
    try {
      const names = Array.from({ length: 200 }, (_, i) => `d${i}/e/f`)
      await kit.stage(Object.fromEntries(names.map(name => [name, name])))
      const steps = names.flatMap((name, i): PlaceStep[] => [
        { kind: 'make-directory', path: rel(`d${i}`), mtimeNs: 1n },
        { kind: 'create', path: rel(`d${i}/f`), from: kit.from(name) }
      ])
      const results = await kit.root.place([...steps, ...steps])
      assert.deepEqual(
        [results.filter(r => r.done).length, results.filter(r => !r.done && r.problem.code === 'EXISTS').length],
        [400, 400]
      )
    } finally {
      await kit.clean()
    }
    assert.equal(open(), before, 'no descriptor is left open')
  })
  it('many at once into one new directory', async () => {
    const kit = await openKit()
    try {
      await Promise.all(Array.from({ length: 8 }, (_, i) => kit.stage({ [`new/deep/${i}`]: String(i) })))
      assert.equal(readdirSync(`${kit.staging.path}/tree/new/deep`).length, 8)
    } finally {
      await kit.clean()
    }
  })
  for (const [what, damage] of [
    ['cut', (file: string) => truncateSync(file, 10)],
    ['of another version', (file: string) => writeFileSync(file, '{"version":99,"groups":[]}')],
    ['far too large', (file: string) => truncateSync(file, 64 * 2 ** 20 + 1)]
  ] as const) {
    it(`a journal that is ${what} is told, and what it names is left alone`, async () => {
      const kit = await openKit()
      try {
        await kit.stage({ a: '1', b: '2' })
        await kit.staging.moveInto(ROOT, [{ from: 'a' as FileName }])
        damage(`${kit.staging.path}/journal`)
        await assert.rejects(kit.staging.moved(), { code: 'JOURNAL_DAMAGED' })
        const root = await kit.restart()
        assert.deepEqual(
          (await root.recover()).problems.map(p => p.code),
          ['JOURNAL_DAMAGED']
        )
        assert.equal(readdirSync(`${kit.staging.path}/tree`).length, 1)
      } finally {
        await kit.clean()
      }
    })
  }
  it('somebody who takes every name just before us ends it after a hundred', async () => {
    let taken = 0
    const kit = await openKit(
      spied(nodeDisk(), (call, args) => {
        if (call !== 'rename' || args[1] !== 'a' || args[4] !== 'noreplace') return
        if (String(args[3]).startsWith('name')) writeFileSync(kit.at(String(args[3])), `theirs ${taken++}`)
      })
    )
    try {
      await kit.stage({ a: '1' })
      await assert.rejects(kit.staging.moveInto(ROOT, [{ from: 'a' as FileName, as: 'name' as FileName }]), {
        code: 'EXISTS'
      })
      assert.equal(taken, 101)
      assert.equal(readdirSync(kit.dir).filter(n => n.startsWith('name')).length, 101)
    } finally {
      await kit.clean()
    }
  })
})
