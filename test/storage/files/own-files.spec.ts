import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import {
  ensurePrivateDir,
  readFileBounded,
  removeEmptyDir,
  removeFile,
  removeLeftovers,
  writeFileAtomic
} from '../../../storage/files/index.js'
import { tempDir } from '../../temp.js'

describe('own files', () => {
  let dir: ReturnType<typeof tempDir>
  beforeEach(() => {
    dir = tempDir()
  })
  afterEach(() => dir.clean())
  const at = (name: string): string => join(dir.path, name)
  const mode = (name: string): number => statSync(at(name)).mode & 0o777

  it('writes whole, with exactly the mode asked for, and leaves nothing beside', async () => {
    const umask = process.umask(0o027)
    try {
      await writeFileAtomic(at('key'), 'one')
      await writeFileAtomic(at('page'), new Uint8Array([1, 2]), { mode: 0o666 })
    } finally {
      process.umask(umask)
    }
    assert.equal(readFileSync(at('key'), 'utf8'), 'one')
    assert.deepEqual([mode('key'), mode('page')], [0o600, 0o666])
    await writeFileAtomic(at('key'), 'two')
    assert.equal(readFileSync(at('key'), 'utf8'), 'two')
    assert.deepEqual(readdirSync(dir.path).sort(), ['key', 'page'])
  })
  it('refuses a symlink at the target, dangling or not, and leaves what it points to', async () => {
    writeFileSync(at('secret'), 'mine')
    symlinkSync('secret', at('link'))
    symlinkSync('nowhere', at('dangling'))
    for (const name of ['link', 'dangling']) {
      await assert.rejects(writeFileAtomic(at(name), 'x'), { code: 'NOT_A_FILE' })
    }
    assert.equal(readFileSync(at('secret'), 'utf8'), 'mine')
    assert.equal(existsSync(at('nowhere')), false)
  })
  it('a directory that is missing, or a target that is a directory, is said and leaves no temporary file', async () => {
    mkdirSync(at('folder'))
    await assert.rejects(writeFileAtomic(at('none/key'), 'x'), { code: 'ENOENT' })
    await assert.rejects(writeFileAtomic(at('folder'), 'x'), { code: 'NOT_A_FILE' })
    assert.deepEqual(readdirSync(dir.path), ['folder'])
  })
  it('reads up to the limit, not a byte more', async () => {
    writeFileSync(at('ten'), '0123456789')
    assert.equal(String(await readFileBounded(at('ten'), 10)), '0123456789')
    await assert.rejects(readFileBounded(at('ten'), 9), { code: 'TOO_LARGE' })
    assert.equal(await readFileBounded(at('none'), 9), undefined)
  })
  it('reads through a symlink only when told, never a FIFO or a directory', async () => {
    writeFileSync(at('ten'), 'x')
    symlinkSync('ten', at('link'))
    execFileSync('mkfifo', [at('fifo')])
    await assert.rejects(readFileBounded(at('link'), 9), { code: 'NOT_A_FILE' })
    assert.equal(String(await readFileBounded(at('link'), 9, { followSymlink: true })), 'x')
    await assert.rejects(readFileBounded(at('fifo'), 9), { code: 'NOT_A_FILE' })
    await assert.rejects(readFileBounded(dir.path, 9), { code: 'NOT_A_FILE' })
  })
  it('removes files and links, says whether there was one, and never a directory', async () => {
    writeFileSync(at('file'), 'x')
    symlinkSync('file', at('link'))
    mkdirSync(at('folder'))
    assert.equal(await removeFile(at('link')), true)
    assert.equal(await removeFile(at('file')), true)
    assert.equal(await removeFile(at('file')), false)
    await assert.rejects(removeFile(at('folder')))
    writeFileSync(at('folder/x'), '')
    assert.equal(await removeEmptyDir(at('folder')), false)
    await removeFile(at('folder/x'))
    assert.equal(await removeEmptyDir(at('folder')), true)
  })
  it('a private directory is made and closed to others', async () => {
    await ensurePrivateDir(at('a/b'))
    assert.equal(mode('a/b'), 0o700)
    mkdirSync(at('open'), { mode: 0o755 })
    await ensurePrivateDir(at('open'))
    assert.equal(mode('open'), 0o700)
  })
  it('a symlink or a file is no private directory', async () => {
    mkdirSync(at('real'))
    symlinkSync('real', at('link'))
    writeFileSync(at('file'), '')
    for (const name of ['link', 'file']) await assert.rejects(ensurePrivateDir(at(name)), { code: 'NOT_PRIVATE' })
    assert.equal(lstatSync(at('link')).isSymbolicLink(), true)
  })
  it('what a crash left of an unfinished write goes at the next start, and nothing else', async () => {
    const names = [`.spacedrive-tmp-${randomUUID()}`, '.spacedrive-tmp-mine', 'key']
    for (const name of names) writeFileSync(at(name), '')
    mkdirSync(at(`.spacedrive-tmp-${randomUUID()}`))
    await removeLeftovers(dir.path)
    assert.equal(existsSync(at(names[0]!)), false)
    assert.equal(readdirSync(dir.path).length, 3)
  })
})
