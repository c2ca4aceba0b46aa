import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { fsPath, pathBytes, textFromBytes } from '../../../storage/base/index.js'
import type { DirHandle, Disk } from '../../../storage/files/index.js'
import { tempDir } from '../../temp.js'
import { DISKS } from './kit.js'

for (const [how, make] of DISKS) {
  describe(`disk: ${how}`, () => {
    const disk: Disk = make()
    let temp: ReturnType<typeof tempDir>
    let dir: DirHandle
    beforeEach(() => {
      temp = tempDir()
      dir = disk.openRoot(temp.path)
    })
    afterEach(() => {
      disk.close(dir)
      temp.clean()
    })
    const at = (name: string): string => join(temp.path, name)
    const put = (name: string, content = name): void => {
      const fd = disk.open(dir, name, 'create')
      disk.write(fd, Buffer.from(content), 0)
      disk.close(fd)
    }

    it('any bytes but NUL and / make a name, and come back from a listing', () => {
      const name = fc
        .uint8Array({ minLength: 1, maxLength: 255 })
        .map(bytes => bytes.filter(b => b !== 0 && b !== 0x2f))
        .filter(bytes => bytes.length > 0 && !['.', '..'].includes(String(Buffer.from(bytes))))
      fc.assert(
        fc.property(name, bytes => {
          const text = textFromBytes(bytes)
          put(text, 'x')
          assert.ok(disk.list(dir).includes(text))
          assert.equal(disk.lstat(dir, text).kind, 'file')
          assert.deepEqual(readFileSync(fsPath(at(text)), 'utf8'), 'x')
          disk.unlink(dir, text)
        }),
        { numRuns: 60 }
      )
    })
    it('a NUL is refused, never cut off', () => {
      put('name')
      assert.throws(() => disk.unlink(dir, 'name\0.txt'))
      assert.equal(disk.lstat(dir, 'name').kind, 'file')
    })
    it('tells the same of a file as Node does', () => {
      put('f', 'content')
      execFileSync('mkfifo', [at('fifo')])
      symlinkSync('nowhere', at('link'))
      mkdirSync(at('d'))
      for (const name of ['f', 'fifo', 'link', 'd']) {
        const s = lstatSync(at(name), { bigint: true })
        const { kind, birthNs, mount, ...got } = disk.lstat(dir, name)
        assert.deepEqual(got, {
          sizeBytes: Number(s.size),
          mtimeNs: s.mtimeNs,
          ctimeNs: s.ctimeNs,
          device: s.dev,
          inode: s.ino,
          mode: Number(s.mode) & 0o7777,
          links: Number(s.nlink),
          uid: Number(s.uid),
          gid: Number(s.gid),
          allocatedBytes: Number(s.blocks) * 512
        })
        assert.equal(kind, { f: 'file', fifo: 'other', link: 'symlink', d: 'directory' }[name])
        assert.ok(birthNs >= 0n && mount >= 0n)
      }
    })
    it('errors carry the system`s code', () => {
      mkdirSync(at('d'))
      put('f')
      put('d2')
      for (const [code, fn] of [
        ['ENOENT', () => disk.lstat(dir, 'none')],
        ['EEXIST', () => disk.open(dir, 'f', 'create')],
        ['EEXIST', () => disk.makeDir(dir, 'd', 0o700)],
        ['ENOTDIR', () => disk.openDir(dir, 'f')],
        [
          'ENOTEMPTY',
          () => {
            put2()
            disk.removeDir(dir, 'd')
          }
        ],
        ['ENAMETOOLONG', () => disk.makeDir(dir, 'n'.repeat(256), 0o700)],
        ['EEXIST', () => disk.link(dir, 'f', dir, 'd2')]
      ] as const) {
        assert.throws(fn, { code })
      }
      function put2(): void {
        writeFileSync(at('d/x'), '')
      }
    })
    it('no directory is reached through a link, at any place of the way', () => {
      mkdirSync(at('real/inner'), { recursive: true })
      symlinkSync('real', at('link'))
      symlinkSync('/proc/self/cwd', at('magic'))
      for (const way of ['link', 'link/inner', 'magic', 'magic/x']) {
        assert.throws(
          () => disk.openDir(dir, way),
          (err: { code: string }) => ['ELOOP', 'ENOTDIR'].includes(err.code),
          way
        )
      }
      const inner = disk.openDir(dir, 'real/inner')
      assert.equal(disk.stat(inner).inode, lstatSync(at('real/inner'), { bigint: true }).ino)
      disk.close(inner)
    })
    it('a file is not opened through a link, a FIFO is not waited for', () => {
      put('real')
      symlinkSync('real', at('link'))
      execFileSync('mkfifo', [at('fifo')])
      assert.throws(() => disk.open(dir, 'link', 'read'), { code: 'ELOOP' })
      assert.throws(() => disk.open(dir, 'link', 'create'), { code: 'EEXIST' })
      const fd = disk.open(dir, 'fifo', 'read')
      assert.equal(disk.stat(fd).kind, 'other')
      disk.close(fd)
    })
    it('an open directory is the same one under another name, or is noticed to be gone', () => {
      mkdirSync(at('d'))
      const opened = disk.openDir(dir, 'd')
      renameSync(at('d'), at('e'))
      mkdirSync(at('d'))
      try {
        disk.makeDir(opened, 'x', 0o700)
        assert.equal(lstatSync(at('e/x')).isDirectory(), true)
      } catch (err) {
        assert.equal((err as { code: string }).code, 'ESTALE')
      } finally {
        disk.close(opened)
      }
      assert.equal(lstatSync(at('d')).nlink, 2, 'nothing was made in the new one')
    })
    it('times are set to the microsecond at least, before 1970 too', () => {
      put('f')
      symlinkSync('f', at('link'))
      for (const mtimeNs of [1_234_567_891_123_456_000n, -1_500_000_000n, 0n]) {
        const fd = disk.open(dir, 'f', 'read')
        disk.setMtime(fd, mtimeNs)
        disk.close(fd)
        disk.setLinkMtime(dir, 'link', mtimeNs)
        for (const name of ['f', 'link']) {
          const off = disk.lstat(dir, name).mtimeNs - mtimeNs
          assert.ok(off >= -1000n && off <= 1000n, `${name}: off by ${off} ns`)
        }
      }
    })
    it('a long link target that is not UTF-8 comes back exactly', () => {
      const target = `${'t'.repeat(1000)}\udcfe/\udc80`
      disk.symlink(target, dir, 'link')
      assert.equal(disk.readlink(dir, 'link'), target)
      assert.equal(disk.lstat(dir, 'link').sizeBytes, pathBytes(target).length)
    })
    it('writes at a position, cuts, reads to the end', () => {
      const fd = disk.open(dir, 'f', 'create')
      disk.write(fd, Buffer.from('hello world'), 0)
      disk.write(fd, Buffer.from('W'), 6)
      disk.truncate(fd, 9)
      const into = new Uint8Array(20)
      assert.equal(Buffer.from(into.subarray(0, disk.read(fd, into, 0))).toString(), 'hello Wor')
      assert.equal(disk.read(fd, into, 9), 0)
      disk.sync(fd)
      disk.close(fd)
      disk.sync(dir)
      if (disk.syncAllReports) disk.syncAll(dir)
    })
  })
}
