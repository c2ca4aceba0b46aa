import assert from 'node:assert/strict'
import type { Terminal } from '../../../node/operations/operation.js'
import { problemLine, progressLine, shareOf } from '../../../node/operations/progress.js'

const plain = {
  bold: (t: string) => t,
  dim: (t: string) => t,
  color: (_c: string, t: string) => t
} as unknown as Terminal

describe('progressLine', () => {
  it('says phase, share, time left, problems, files, bytes, rate', () => {
    const line = progressLine(
      {
        phase: 'Copying',
        doneFiles: 1500,
        totalFiles: 3000,
        doneBytes: 2 ** 30,
        totalBytes: 2 ** 31,
        bytesPerSecond: 2 ** 27,
        remainingMs: 8000,
        problems: 1
      },
      plain
    )
    assert.equal(
      line,
      'Copying  ██████████░░░░░░░░░░   50 %  8 s left  1 problem  1,500 of 3,000 files  1.00 GiB of 2.00 GiB  128 MiB/s'
    )
  })
  it('a total that still grows shows no share', () => {
    const line = progressLine(
      { phase: 'Discovery', doneFiles: 5, totalFiles: null, doneBytes: 0, totalBytes: null },
      plain
    )
    assert.equal(line, 'Discovery  5 files')
  })
  it('the share never passes one', () => {
    assert.equal(shareOf({ phase: '', doneFiles: 0, totalFiles: 0, doneBytes: 11, totalBytes: 10 }), 1)
    assert.equal(shareOf({ phase: '', doneFiles: 0, totalFiles: 0, doneBytes: 0, totalBytes: 0 }), undefined)
  })
  it('many small files count beside few large ones', () => {
    const bytes = { doneBytes: 1000, totalBytes: 1000 }
    assert.equal(shareOf({ phase: '', doneFiles: 1, totalFiles: 2, ...bytes })!.toFixed(2), '0.50')
    assert.equal(shareOf({ phase: '', doneFiles: 1, totalFiles: null, ...bytes }), 1)
    assert.equal(shareOf({ phase: '', doneFiles: 1, totalFiles: 4, doneBytes: 0, totalBytes: null }), 0.25)
  })
})

describe('problemLine', () => {
  for (const [path, message, line] of [
    ['a/b', 'could not copy a/b: permission denied', 'could not copy a/b: permission denied'],
    ['a', 'it is a link to /etc, outside of the folder', 'a: it is a link to /etc, outside of the folder']
  ] as const) {
    it(`a path is said once: ${line}`, () => {
      assert.equal(problemLine({ path, message }), line)
    })
  }
})
