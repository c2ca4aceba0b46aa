import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { findStat } from '../../../storage/files/disk.js'
import type { Capabilities, Disk } from '../../../storage/files/index.js'
import { nodeDisk } from '../../../storage/files/index.js'
import { probe } from '../../../storage/files/probe.js'
import { tempDir } from '../../temp.js'
import { openKit, spied, systemError } from './kit.js'

/** The real disk with some functions put in other ones' place: file systems that are not to be had here. */
function other(change: (disk: Disk) => Partial<Disk>): Disk {
  const disk = nodeDisk()
  return { ...disk, ...change(disk) }
}
const fold = (name: string): string => name.normalize('NFC').toLowerCase()

describe('capabilities', () => {
  function probed(disk: Disk): Capabilities {
    const dir = tempDir()
    const handle = disk.openRoot(dir.path)
    try {
      return probe(disk, handle)
    } finally {
      disk.close(handle)
      dir.clean()
    }
  }
  const refusing = (code: string) => (): never => {
    throw systemError(code)
  }

  for (const [what, change, expected] of [
    [
      'names that fold to one',
      disk => ({
        open: (dir, name, how, mode) => disk.open(dir, fold(name), how, mode),
        lstat: (dir, name) => disk.lstat(dir, fold(name)),
        findStat: (dir, name) => findStat(disk, dir, fold(name))
      }),
      { foldsCase: true, foldsUnicode: true }
    ],
    [
      'times of two seconds',
      disk => ({ setMtime: (fd, ns) => disk.setMtime(fd, ns - (ns % 2_000_000_000n)) }),
      { timeStepNs: 2_000_000_000n }
    ],
    [
      'times of a microsecond',
      disk => ({ setMtime: (fd, ns) => disk.setMtime(fd, ns - (ns % 1000n)) }),
      { timeStepNs: 1000n }
    ],
    [
      'a flag that is ignored: it would replace',
      disk => ({
        rename: (a, b, c, d, how) => disk.rename(a, b, c, d, how === 'noreplace' ? 'replace' : how)
      }),
      { noReplace: false, exchange: true }
    ],
    [
      'an exchange that is ignored',
      disk => ({ rename: (a, b, c, d, how) => disk.rename(a, b, c, d, how === 'exchange' ? 'replace' : how) }),
      { exchange: false }
    ],
    [
      'no links',
      () => ({ link: refusing('EPERM'), symlink: refusing('EPERM') }),
      { hardLinks: false, symlinks: false }
    ],
    ['modes that do not stick', () => ({ setMode() {} }), { modes: false }],
    [
      'names that must be UTF-8',
      disk => ({
        open: (dir, name, how, mode) => {
          if (name.includes('\udcff')) throw systemError('EILSEQ')
          return disk.open(dir, name, how, mode)
        }
      }),
      { anyBytes: false }
    ],
    [
      'inodes without birth time',
      disk => ({ lstat: (dir, name) => ({ ...disk.lstat(dir, name), birthNs: 0n }) }),
      { keepsIdentity: false }
    ],
    [
      'a file system of the network',
      disk => ({ space: dir => ({ ...disk.space(dir), type: 0x6969 }) }),
      { fileSystem: 'nfs', syncWhole: false }
    ],
    [
      'one that nobody knows',
      disk => ({ space: dir => ({ ...disk.space(dir), type: 0xabcdef }) }),
      { fileSystem: '0xabcdef', syncWhole: false }
    ],
    ['a kernel that does not tell errors of a sync', () => ({ syncAllReports: false }), { syncWhole: false }]
  ] as readonly (readonly [string, (disk: Disk) => Partial<Disk>, Partial<Capabilities>])[]) {
    it(what, () => {
      const found = probed(other(change))
      for (const [name, value] of Object.entries(expected)) assert.equal(found[name as keyof Capabilities], value, name)
    })
  }
  it('a full disk says nothing about what it can do', () => {
    assert.throws(() => probed(other(() => ({ link: refusing('ENOSPC') }))), { code: 'ENOSPC' })
  })
  it('a root is tried once for each file system, and nothing of it stays', async () => {
    let probes = 0
    const kit = await openKit(
      spied(nodeDisk(), (call, args) => {
        if (call === 'rename' && args[4] === 'exchange') probes++
      })
    )
    try {
      await kit.restart()
      const before = probes
      const [a, b] = [await (await kit.restart()).openStaging('00000000-0000-4000-8000-000000000001'), kit]
      assert.ok(a.id !== b.staging.id)
      assert.equal(probes, before + 1, 'once a daemon')
      assert.equal(readdirSync(kit.dir).length, 2)
    } finally {
      await kit.clean()
    }
  })
})
