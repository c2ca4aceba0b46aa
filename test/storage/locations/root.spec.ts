import assert from 'node:assert/strict'
import { judgeRoot, type RootFound } from '../../../storage/locations/root.js'
import type { VolumeId } from '../../../storage/volumes/index.js'

const there = (
  inode: bigint,
  volume: string | undefined,
  more: { birthNs?: bigint; empty?: boolean } = {}
): RootFound => ({
  there: true,
  identity: { inode, birthNs: more.birthNs ?? 5n },
  device: 1n,
  placement: volume === undefined ? undefined : ({ volume: { id: volume as VolumeId }, within: 'x' } as never),
  empty: more.empty ?? false
})
const gone: RootFound = { there: false, code: 'ENOENT', message: 'its folder is not there' }
const A = 'uuid:a'

describe('judgeRoot', () => {
  for (const [why, remembered, found, expected] of [
    ['first look', { root: null, volume: null }, there(1n, A), 'online renew'],
    ['the very folder', {}, there(1n, A), 'online'],
    ['it is emptied, but it is the very folder', {}, there(1n, A, { empty: true }), 'online'],
    ['no folder', {}, gone, 'GONE'],
    ['another folder on the same disk', {}, there(2n, A), 'online renew'],
    ['an inode number used again: another time of birth', {}, there(1n, A, { birthNs: 6n }), 'online renew'],
    ['an empty folder that is another one', {}, there(2n, A, { empty: true }), 'EMPTY_PLACE'],
    ['an empty one where nothing was known', { hadEntries: false }, there(2n, A, { empty: true }), 'online renew'],
    ['another disk at its place', {}, there(2n, 'uuid:b'), 'OTHER_DISK'],
    ['the folder under the mount point', { volume: 'uuid:stick' }, there(2n, A, { empty: true }), 'OTHER_DISK'],
    ['the same folder, its disk known by another name now', {}, there(1n, 'fsid:ext4:1'), 'online renew'],
    [
      'roots of two disks without times of birth have one inode',
      { birth: 0n },
      there(1n, 'uuid:b', { birthNs: 0n }),
      'OTHER_DISK'
    ],
    ['the same, on its own disk', { birth: 0n }, there(1n, A, { birthNs: 0n }), 'online'],
    [
      'a memory disk that was mounted anew with another size',
      { volume: 'weak:tmpfs:tmpfs:10' },
      there(2n, 'weak:tmpfs:tmpfs:20'),
      'online renew'
    ],
    ['a memory disk that is gone from its place', { volume: 'weak:tmpfs:tmpfs:10' }, there(2n, A), 'OTHER_DISK'],
    ['on no disk that is known', {}, there(2n, undefined), 'online renew']
  ] as const) {
    it(`${why}: ${expected}`, () => {
      const {
        volume = A,
        hadEntries = true,
        birth = 5n,
        root
      } = remembered as { volume?: string | null; hadEntries?: boolean; birth?: bigint; root?: null }
      const verdict = judgeRoot(
        { root: root === null ? null : { inode: 1n, birthNs: birth }, volume: volume as VolumeId | null, hadEntries },
        found
      )
      const said = verdict.state === 'online' ? `online${verdict.renew ? ' renew' : ''}` : verdict.code
      assert.equal(said, expected)
    })
  }
})
