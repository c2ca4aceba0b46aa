import assert from 'node:assert/strict'
import type { ScanRecord } from '../../../storage/entries/index.js'
import { confidenceOf, judgeDirectory } from '../../../sync/analysis/index.js'

const S = 1_000_000_000n
const at = (seconds: bigint): bigint => seconds * S
/** Changed at 100 s, listed at 110 s. */
const row = { kind: 'directory', mtimeNs: at(100n), ctimeNs: at(100n), inode: 7n, birthNs: at(50n) } as const
const record: ScanRecord = { scannedAtMs: 110_000, mtimeNs: at(100n), ctimeNs: at(100n), complete: true, row }
const rules = { watched: false, timeStepNs: 1n }

describe('whether a listing still holds', () => {
  for (const [why, change, now, options, expected] of [
    ['nothing happened since', {}, {}, {}, 'record'],
    ['it is gone', {}, undefined, {}, 'gone'],
    ['a file has its name', {}, { kind: 'file' }, {}, 'gone'],
    ['it was never listed', { complete: false }, {}, {}, 'never-listed'],
    ['another directory has its name', {}, { inode: 8n }, {}, 'replaced'],
    ['inode used again', {}, { birthNs: at(51n) }, {}, 'replaced'],
    ['the file system keeps no inodes', { row: { ...row, inode: 0n, birthNs: 0n } }, {}, {}, 'record'],
    [
      'inodes beyond 2^63 are kept with a sign',
      { row: { ...row, inode: -1n } },
      { inode: 2n ** 64n - 1n },
      {},
      'record'
    ],
    ['a name came or went', {}, { mtimeNs: at(200n), ctimeNs: at(200n) }, {}, 'changed'],
    ['its time was set back afterwards', {}, { ctimeNs: at(200n) }, {}, 'changed'],
    ['its time lies before the record', {}, { mtimeNs: at(99n) }, {}, 'changed'],
    ['listed a second after its change', { scannedAtMs: 101_000 }, {}, {}, 'too-recent'],
    ['listed a little more than a second after', { scannedAtMs: 101_001 }, {}, {}, 'record'],
    ['its time lies in the future', { scannedAtMs: 90_000 }, {}, {}, 'too-recent'],
    ['steps of two seconds', { scannedAtMs: 103_000 }, {}, { timeStepNs: 2n * S }, 'too-recent'],
    ['steps of two seconds, rested', { scannedAtMs: 103_001 }, {}, { timeStepNs: 2n * S }, 'record'],
    ['watched, and not told of the change yet', {}, { mtimeNs: at(200n) }, { watched: true }, 'changed'],
    [
      'watched, and told',
      { row: { ...row, mtimeNs: at(200n), ctimeNs: at(200n) } },
      { mtimeNs: at(200n), ctimeNs: at(200n) },
      { watched: true },
      'watcher'
    ],
    [
      'told, but not watched without gaps since',
      { row: { ...row, mtimeNs: at(200n), ctimeNs: at(200n) } },
      { mtimeNs: at(200n), ctimeNs: at(200n) },
      {},
      'changed'
    ],
    ['watched, listed at once', { scannedAtMs: 100_000 }, {}, { watched: true }, 'watcher']
  ] as const) {
    it(`${why}: ${expected}`, () => {
      const verdict = judgeDirectory(
        { ...record, ...change } as ScanRecord,
        now === undefined ? undefined : ({ ...row, ...now } as never),
        { ...rules, ...options }
      )
      assert.equal(verdict.fresh ? verdict.by : verdict.why, expected)
    })
  }
  it('what is not in the index was never listed', () => {
    assert.deepEqual(judgeDirectory(undefined, row, rules), { fresh: false, why: 'never-listed' })
  })
  for (const [facts, byWatcher, confidence, reasons] of [
    [{ fileSystem: 'ext4', network: false, timeStepNs: 1n }, false, 'high', []],
    [{ fileSystem: 'ext4', network: false, timeStepNs: 1n }, true, 'medium', ['by-the-watcher']],
    [{ fileSystem: 'nfs4', network: true, timeStepNs: 1n }, false, 'low', ['network']],
    [{ fileSystem: 'vfat', network: false, timeStepNs: 2n * S }, true, 'low', ['coarse-times', 'by-the-watcher']],
    [{ fileSystem: 'fuse.x', network: false, timeStepNs: 1n }, false, 'low', ['user-space']]
  ] as const) {
    it(`confidence on ${facts.fileSystem}${byWatcher ? ' by the watcher' : ''}: ${confidence}`, () => {
      assert.deepEqual(confidenceOf(facts, byWatcher), { confidence, reasons })
    })
  }
})
