import assert from 'node:assert/strict'
import type { AbsPath } from '../../../storage/base/index.js'
import { parseMountinfo, parseMountList } from '../../../storage/volumes/index.js'
import { parseSpace } from '../../../storage/volumes/stat-fs.js'

describe('parseMountinfo', () => {
  const parse = (text: string) => parseMountinfo(Buffer.from(text))

  it('a plain mount', () => {
    assert.deepEqual(parse('36 35 8:1 / /mnt rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue\n'), [
      { id: 36, mountPoint: '/mnt', root: '/', fileSystem: 'ext4', source: '/dev/sda1', device: '8:1', readOnly: false }
    ])
  })
  it('names with spaces, backslashes and odd bytes', () => {
    const line = Buffer.concat([
      Buffer.from('36 35 8:1 / /mnt/a\\040b\\134c'),
      Buffer.from([0xff]),
      Buffer.from(' ro - vfat /dev/sdb1 rw\n')
    ])
    const [mount] = parseMountinfo(line)
    assert.equal(mount!.mountPoint, '/mnt/a b\\c\udcff')
    assert.equal(mount!.readOnly, true)
  })
  it('no optional fields, several of them, and a read-only super block', () => {
    const mounts = parse(
      '1 2 0:5 / /a rw - tmpfs tmpfs ro\n3 2 0:6 /sub /b rw shared:1 master:2 propagate_from:3 - btrfs /dev/sdc rw\n'
    )
    assert.deepEqual(
      mounts.map(m => [m.mountPoint, m.root, m.readOnly]),
      [
        ['/a', '/', true],
        ['/b', '/sub', false]
      ]
    )
  })
  it('a later mount shadows an earlier one at the same place', () => {
    const mounts = parse('1 0 8:1 / /a rw - ext4 /dev/sda1 rw\n2 0 8:2 / /a rw - ext4 /dev/sdb1 rw\n')
    assert.deepEqual(
      mounts.map(m => m.device),
      ['8:2']
    )
  })
})

describe('parseMountList', () => {
  it('what macOS prints', () => {
    assert.deepEqual(
      parseMountList(
        '/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)\n/dev/disk4s2 on /Volumes/My (old) Photos (exfat, local, nodev)\nmap auto_home on /System/Volumes/Data/home (autofs, automounted)\n'
      ).map(m => [m.source, m.mountPoint, m.fileSystem, m.readOnly]),
      [
        ['/dev/disk3s1s1', '/' as AbsPath, 'apfs', true],
        ['/dev/disk4s2', '/Volumes/My (old) Photos' as AbsPath, 'exfat', false],
        ['map auto_home', '/System/Volumes/Data/home' as AbsPath, 'autofs', false]
      ]
    )
  })
})

describe('parseSpace', () => {
  it('GNU stat, and df', () => {
    assert.deepEqual(parseSpace('4096 1000 250\n'), { totalBytes: 4_096_000, availableBytes: 1_024_000 })
    const df =
      'Filesystem 1024-blocks Used Available Capacity iused ifree %iused  Mounted on\n//me@nas/share 1000 400 600 40% 1 2 3% /Volumes/share\n'
    assert.deepEqual(parseSpace(df), { totalBytes: 1_024_000, availableBytes: 614_400 })
    assert.equal(parseSpace('nonsense'), undefined)
  })
})
