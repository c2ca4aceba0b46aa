import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type CopyProgress, CopyProgressSum, progressText } from '../../../sync/analysis/index.js'

const small = fc.nat(1000)
const told: fc.Arbitrary<CopyProgress> = fc.oneof(
  fc.record({
    kind: fc.constant('initial-estimate' as const),
    files: small,
    bytes: small,
    discovering: fc.constant(true)
  }),
  fc.record({ kind: fc.constant('files-discovered' as const), files: small, bytes: small, path: fc.string() }),
  fc.record({ kind: fc.constant('discovery-complete' as const), files: small, bytes: small }),
  fc.record({
    ...{ kind: fc.constant('preparation' as const), phase: fc.constant('ready' as const) },
    ...{ done: fc.constant(true as const), files: small, bytes: small }
  }),
  fc.record({ kind: fc.constant('file-copied' as const), path: fc.string(), bytes: small, discovered: fc.boolean() }),
  fc.record({ kind: fc.constant('bytes-copied' as const), bytes: small }),
  fc.record({
    ...{ kind: fc.constant('files-skipped' as const), files: small, bytes: small },
    reason: fc.constantFrom('already-exists' as const, 'destination-newer' as const, 'user-choice' as const)
  })
)

describe('the progress of a copy', () => {
  it('adds up: an estimate, more found, copied, skipped, complete', () => {
    const sum = new CopyProgressSum()
    const first = sum.tell({ kind: 'initial-estimate', files: 3, bytes: 300, discovering: true })
    assert.deepEqual(first, {
      ...{ doneFiles: 0, doneBytes: 0, totalFiles: null, totalBytes: null, message: 'about 3 files, looking for more' },
      detail: { kind: 'initial-estimate', files: 3, bytes: 300, discovering: true }
    })
    sum.tell({ kind: 'files-discovered', files: 1, bytes: 100, path: 'x' })
    sum.tell({ kind: 'file-copied', path: 'a', bytes: 100, discovered: false })
    sum.tell({ kind: 'files-skipped', files: 1, bytes: 100, reason: 'already-exists' })
    sum.tell({ kind: 'bytes-copied', bytes: 60 })
    const { doneFiles, doneBytes, totalFiles, totalBytes } = sum.tell({
      kind: 'discovery-complete',
      files: 4,
      bytes: 400
    })
    assert.deepEqual([doneFiles, doneBytes, totalFiles, totalBytes], [2, 260, 4, 400])
    const whole = sum.tell({ kind: 'file-copied', path: 'b', bytes: 100, discovered: true })
    assert.deepEqual([whole.doneFiles, whole.doneBytes], [3, 300], 'what was on its way counts once')
    assert.deepEqual(sum.overall(), {
      ...{ kind: 'overall', copiedFiles: 2, copiedBytes: 200, totalFiles: 4, totalBytes: 400, skippedFiles: 1 },
      discovering: false
    })
  })
  it('counts files of which nothing is told like those that are', () => {
    const [told, counted] = [new CopyProgressSum(), new CopyProgressSum()]
    for (const sum of [told, counted]) sum.tell({ kind: 'bytes-copied', bytes: 250 })
    for (const path of ['a', 'b', 'c']) told.tell({ kind: 'file-copied', path, bytes: 100, discovered: false })
    counted.copied({ files: 3, bytes: 300 })
    assert.deepEqual(counted.overall(), told.overall())
    const last = { kind: 'discovery-complete', files: 3, bytes: 300 } as const
    assert.deepEqual(counted.tell(last), told.tell(last))
  })
  it('never jumps by more than the work that was done, whatever is told in whatever order', () => {
    fc.assert(
      fc.property(fc.array(told, { maxLength: 60 }), list => {
        const sum = new CopyProgressSum()
        let before = { files: 0, bytes: 0 }
        for (const one of list) {
          const { doneFiles = 0, doneBytes = 0, totalFiles, totalBytes } = sum.tell(one)
          const work =
            one.kind === 'file-copied'
              ? { files: 1, bytes: one.bytes }
              : one.kind === 'files-skipped'
                ? one
                : { files: 0, bytes: one.kind === 'bytes-copied' ? one.bytes : Number.POSITIVE_INFINITY }
          assert.ok(doneFiles >= before.files && doneFiles - before.files <= work.files)
          assert.ok(doneBytes - before.bytes <= work.bytes)
          if (totalFiles !== null && totalFiles !== undefined) assert.ok(doneFiles <= totalFiles)
          if (totalBytes !== null && totalBytes !== undefined) assert.ok(doneBytes <= totalBytes)
          before = { files: doneFiles, bytes: doneBytes }
        }
      })
    )
  })
  it('says each kind in a few words', () => {
    for (const [one, text] of [
      [{ kind: 'initial-estimate', files: 1234, bytes: 0, discovering: false }, 'about 1,234 files'],
      [{ kind: 'files-discovered', files: 56, bytes: 0, path: '' }, 'found 56 files more'],
      [{ kind: 'conflicts-detected', conflicts: [], pending: 1 }, '1 file waits for an answer'],
      [
        { kind: 'files-skipped', files: 2, bytes: 0, reason: 'destination-newer' },
        'left 2 files alone: the destination is newer'
      ],
      [{ kind: 'resume-detected', completedFiles: 7, remainingFiles: null }, 'going on: 7 files done before'],
      [{ kind: 'destination-analysis', path: '/d', files: 3, bytes: 1 }, 'looking at /d: 3 files'],
      [{ kind: 'discovery-complete', files: 3, bytes: 1 }, '']
    ] as const) {
      assert.equal(progressText(one), text)
    }
  })
})
