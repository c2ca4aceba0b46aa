import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { AbsPath } from '../../../storage/base/index.js'
import { openFiles, ownerTag } from '../../../storage/files/index.js'
import { ENDS, type End, type Mode } from '../../../sync/reconcile/index.js'
import { inPlace } from '../../in-place.js'
import { randomFrom } from '../../random.js'
import { CASEFOLD, FORMS, FoldingDisk, type Holding, VFAT } from './folding-disk.js'
import type { DiskEdit } from './power-cut-disk.js'
import { type Device, Devices } from './power-cut-rig.js'

/** More by SPACEDRIVE_RUNS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 3)
/** Of the operations of a run so many lie between two cuts; each is tried in a long search. */
const CUT_STEP = process.env.SPACEDRIVE_RUNS === undefined ? 5 : 1
const KINDS: readonly (readonly [string, Holding])[] = [
  ['vfat', VFAT],
  ['casefolded ext4', CASEFOLD],
  ['Unicode forms alone', FORMS]
]
const [COMPOSED, DECOMPOSED] = ['\u00c9', 'E\u0301']

const name = fc.constantFrom('a', 'A', 'b', COMPOSED, DECOMPOSED, 'x:y')
const edit = fc.record<DiskEdit>({
  end: fc.constantFrom('source', 'source', 'destination'),
  kind: fc.constantFrom('write', 'write', 'write', 'delete', 'move', 'folder', 'link', 'mode'),
  path: fc.oneof(
    name,
    fc.tuple(fc.constantFrom('d', 'D'), name).map(([dir, at]) => `${dir}/${at}`)
  ),
  to: name,
  text: fc.integer({ min: 1, max: 99 }).map(n => `edited ${n}`)
})

describe('a sync with an end that holds less', () => {
  let devices: Devices
  let disk: FoldingDisk
  let device: Device
  const open = (mode: Mode, holds: Holding, end: End = 'destination'): void => {
    devices = new Devices(mode)
    disk = new FoldingDisk(end, holds)
    device = devices.fresh(disk)
  }
  afterEach(() => devices.clean())
  const put = (end: End, path: string, text: string): void => person({ end, kind: 'write', path, to: path, text })
  /** What cannot be done there is not done. */
  function person(what: DiskEdit): void {
    try {
      disk.edit(what)
    } catch (err) {
      if (!['EEXIST', 'EINVAL', 'EPERM', 'ENOTEMPTY', 'ENOTDIR'].includes((err as { code?: string }).code ?? ''))
        throw err
    }
  }
  async function run() {
    const outcome = await devices.run(device)
    assert.equal(outcome.state, 'done', JSON.stringify(outcome).slice(0, 300))
    if (outcome.state !== 'done') throw new Error('unreachable')
    const told = outcome.remarks.flatMap(r => (r.row === 'problem' ? [`${r.code} ${r.path}`] : []))
    const problems = [...told, ...outcome.result.problems.map(p => `${p.code} ${p.path}`)].sort()
    return { operations: outcome.plan.operations, problems }
  }
  /** Where names are alike, what one run frees the next one takes; after that nothing changes any more. */
  async function rests(): Promise<void> {
    const shown = (): string => JSON.stringify(ENDS.map(at => disk.shown(at)))
    for (let before = shown(), n = 0; ; before = shown(), n++) {
      await run()
      if (shown() === before) return
      assert.ok(n < 3, `it does not come to rest: ${before} ${shown()}`)
    }
  }
  const modesAt = (paths: readonly string[]): number[] =>
    paths.filter(path => !path.includes('/')).map(path => disk.lookAt('source', path).mode)
  const names = (end: End): string[] => Object.keys(disk.shown(end)).sort()

  for (const [title, holds] of KINDS) {
    it(`${title}: what it can do is found out by trying`, async () => {
      open('mirror', holds)
      const files = openFiles({ pool: inPlace, owner: ownerTag('test'), disk })
      const { capabilities } = await files.openRoot('/destination' as AbsPath)
      const { foldsCase, foldsUnicode, symlinks, modes, timeStepNs, exchange, keepsIdentity, anyBytes } = capabilities
      assert.deepEqual(
        { foldsCase, foldsUnicode, symlinks, modes, timeStepNs, exchange, keepsIdentity, anyBytes },
        {
          ...{ foldsCase: holds.foldsCase, foldsUnicode: holds.foldsUnicode, timeStepNs: holds.timeStepNs },
          ...{ symlinks: holds.links, modes: holds.modes },
          ...{ exchange: holds.posix, keepsIdentity: holds.posix, anyBytes: holds.posix }
        }
      )
      await files.close()
    })

    for (const mode of ['bidirectional', 'mirror'] as Mode[]) {
      const [old, fresh] = holds.foldsCase ? ['Photo', 'photo'] : [DECOMPOSED, COMPOSED]

      it(`${title}, ${mode}: another case or form of a name is one rename, also together with an edit`, async () => {
        open(mode, holds)
        put('source', old, 'content')
        put('source', 'other', 'other')
        await run()
        disk.renameAt('source', old, fresh)
        assert.deepEqual(await run(), { operations: 1, problems: [] })
        assert.deepEqual([names('destination'), disk.shown('destination')[fresh]], [[fresh, 'other'].sort(), 'content'])
        assert.equal((await run()).operations, 0)
        disk.renameAt('source', fresh, old)
        put('source', old, 'edited')
        assert.deepEqual((await run()).problems, [])
        assert.deepEqual([names('destination'), disk.shown('destination')[old]], [[old, 'other'].sort(), 'edited'])
        assert.equal((await run()).operations, 0)
      })

      it(`${title}, ${mode}: of two names that it cannot tell apart one is a problem, and neither is lost`, async () => {
        open(mode, holds)
        put('source', old, 'one')
        put('source', fresh, 'two')
        put('source', 'other', 'other')
        const { problems } = await run()
        assert.ok(problems.length > 0 && problems.every(p => p.startsWith('names-alike ')), problems.join())
        assert.equal(disk.shown('destination').other, 'other')
        assert.deepEqual(names('source'), [old, fresh, 'other'].sort())
        assert.equal((await run()).operations, 0)
        disk.renameAt('source', fresh, 'apart')
        assert.deepEqual((await run()).problems, [])
        assert.deepEqual(disk.shown('destination'), { [old]: 'one', apart: 'two', other: 'other' })
      })
    }

    for (const mode of ['bidirectional', 'mirror', 'replica', 'backup'] as Mode[]) {
      const [old, fresh] = holds.foldsCase ? ['Photo', 'photo'] : [DECOMPOSED, COMPOSED]

      it(`${title}, ${mode}: a new name that is one there with an agreed one is a problem, and nothing else is tried`, async () => {
        open(mode, holds)
        put('source', `d/${old}`, 'agreed')
        put('source', `${old}/in`, 'in a folder')
        await run()
        const before = disk.shown('destination')
        put('source', `d/${fresh}`, 'new')
        put('source', `${fresh}/other`, 'in another')
        const { operations, problems } = await run()
        assert.deepEqual([operations, disk.shown('destination')], [0, before])
        assert.deepEqual(
          problems.filter(p => !p.startsWith('parent ')),
          [`names-alike ${fresh}`, `names-alike d/${fresh}`].sort()
        )
        assert.deepEqual(await run(), { operations, problems })
        disk.renameAt('source', fresh, 'apart')
        person({ end: 'source', kind: 'move', path: `d/${fresh}`, to: 'moved', text: '' })
        assert.deepEqual((await run()).problems, [])
        const { apart, ...rest } = disk.shown('destination')
        assert.deepEqual([apart, rest], ['folder', { ...before, 'apart/other': 'in another', moved: 'new' }])
      })
    }

    for (const mode of ['bidirectional', 'mirror', 'replica', 'backup'] as Mode[])
      for (const end of ENDS)
        it(`${title} at the ${end}, ${mode}: whatever is edited, nothing is lost, and it comes to rest`, async () => {
          await fc.assert(
            fc.asyncProperty(
              fc.array(fc.array(edit, { maxLength: 8 }), { minLength: 1, maxLength: 3 }),
              async rounds => {
                open(mode, holds, end)
                try {
                  for (const edits of rounds) {
                    for (const what of edits) person(what)
                    const had = new Set(ENDS.flatMap(at => [...disk.contents(at)]))
                    const source = disk.shown('source')
                    const modes = modesAt(Object.keys(source))
                    await run()
                    const has = new Set(ENDS.flatMap(at => [...disk.contents(at)]))
                    for (const content of had) assert.ok(has.has(content), `lost: ${content}`)
                    if (mode !== 'bidirectional') {
                      assert.deepEqual(disk.shown('source'), source)
                      assert.deepEqual(modesAt(Object.keys(source)), modes)
                    }
                    await rests()
                  }
                } finally {
                  devices.clean()
                }
              }
            ),
            { numRuns: RUNS }
          )
        })
  }

  for (const [title, holds] of KINDS)
    it(`${title}: the power goes while a name gets another case or form: it is there afterwards, and finished`, async () => {
      const [old, fresh] = holds.foldsCase ? ['Photo', 'photo'] : [DECOMPOSED, COMPOSED]
      const random = randomFrom(7)
      const prepared = async (): Promise<number> => {
        disk = new FoldingDisk('destination', holds)
        device = devices.fresh(disk)
        put('source', old, 'content')
        await run()
        disk.renameAt('source', old, fresh)
        disk.rest()
        return disk.operations
      }
      open('bidirectional', holds)
      const first = await prepared()
      await run()
      const last = disk.operations
      for (let at = first; at <= last; at += CUT_STEP) {
        await prepared()
        disk.cutAt = at
        device = await devices.cut(device, random, ['source', 'destination', 'device'])
        assert.ok(
          ENDS.every(end => disk.contents(end).has('content')),
          `after ${at - first}`
        )
        assert.deepEqual((await run()).problems, [], `after ${at - first}`)
        assert.deepEqual(disk.shown('destination'), { [fresh]: 'content' }, `after ${at - first}`)
        assert.deepEqual(disk.left('destination'), [], `after ${at - first}`)
      }
    })

  it('vfat: links, modes, fine times and names that it cannot hold stay as they are at the other end', async () => {
    open('bidirectional', VFAT)
    put('source', 'script', 'run')
    put('source', 'x:y', 'name')
    const at = (kind: 'link' | 'mode', path: string, text = ''): void =>
      person({ end: 'source', kind, path, to: path, text })
    at('link', 'link', 'script')
    at('mode', 'script')
    const before = disk.lookAt('source', 'script')
    assert.deepEqual((await run()).problems, ['cannot-hold link', 'cannot-hold x:y'])
    assert.deepEqual(disk.shown('destination'), { script: 'run' })
    assert.equal((await run()).operations, 0)
    const after = disk.lookAt('source', 'script')
    assert.deepEqual([after.mode, after.mtimeNs], [before.mode, before.mtimeNs])
    assert.notEqual(disk.lookAt('destination', 'script').mtimeNs, before.mtimeNs)
    // Edited there it comes back, with the mode that it had here.
    put('destination', 'script', 'edited there')
    await run()
    assert.deepEqual(disk.shown('source'), { link: '-> script', script: 'edited there', 'x:y': 'name' })
    assert.equal(disk.lookAt('source', 'script').mode, before.mode)
    assert.equal((await run()).operations, 0)
  })
})
