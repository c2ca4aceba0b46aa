import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dataDirOf, ensureDataDir, ensurePrivateDir } from '../../../node/instance/index.js'
import type { AbsPath } from '../../../storage/base/index.js'
import { tempDir } from '../../temp.js'

const NOBODY = 65_534

describe('the data directory', () => {
  let temp: ReturnType<typeof tempDir>
  beforeEach(() => {
    temp = tempDir()
  })
  afterEach(() => temp.clean())
  const at = (name: string): AbsPath => join(temp.path, name) as AbsPath

  it('--data-dir wins over SPACEDRIVE_DATA_DIR, and a name is a folder in it', () => {
    const env = { SPACEDRIVE_DATA_DIR: '/env' }
    assert.equal(dataDirOf({ dataDir: '/flag', env }), '/flag')
    assert.equal(dataDirOf({ env }), '/env')
    assert.equal(dataDirOf({ env, instance: 'alice' }), '/env/instance-alice')
    assert.equal(dataDirOf({ env, instance: 'default' }), '/env')
    assert.equal(dataDirOf({ dataDir: 'here', env, cwd: '/there' }), '/there/here')
  })

  for (const name of ['', 'A', '-a', '_a', 'a/b', '..', 'a b', 'a'.repeat(33), 'é', 'a\n']) {
    it(`${JSON.stringify(name)} is no name of an instance`, () => {
      assert.throws(() => dataDirOf({ dataDir: '/d', instance: name }), { code: 'USAGE' })
    })
  }

  it('a name may have 32 characters', () => {
    const name = 'a'.repeat(32)
    assert.equal(dataDirOf({ dataDir: '/d', instance: name }), `/d/instance-${name}`)
  })

  it('it is made for this user alone, whatever the umask', () => {
    const before = process.umask(0)
    try {
      ensureDataDir(at('a/b'))
    } finally {
      process.umask(before)
    }
    assert.equal(statSync(at('a/b')).mode & 0o777, 0o700)
  })

  it('an empty one that others may enter is closed', () => {
    mkdirSync(at('open'))
    chmodSync(at('open'), 0o777)
    ensureDataDir(at('open'))
    assert.equal(statSync(at('open')).mode & 0o777, 0o700)
  })

  it("somebody's folder that others may enter is refused and stays as it is", () => {
    mkdirSync(at('home'))
    chmodSync(at('home'), 0o755)
    writeFileSync(at('home/letter.txt'), 'mine')
    assert.throws(() => ensureDataDir(at('home')), { code: 'DATA_DIR', message: /letter\.txt/ })
    assert.equal(statSync(at('home')).mode & 0o777, 0o755)
    chmodSync(at('home'), 0o700)
    assert.equal(ensureDataDir(at('home')), at('home'))
  })

  it('a file, and a link that leads nowhere, are refused', () => {
    writeFileSync(at('file'), '')
    assert.throws(() => ensureDataDir(at('file')), { code: 'DATA_DIR' })
    symlinkSync(at('nowhere'), at('link'))
    assert.throws(() => ensureDataDir(at('link')), { code: 'DATA_DIR' })
  })

  it('a link to a folder of ours is followed, and gives its real path', () => {
    mkdirSync(at('real'), { mode: 0o700 })
    symlinkSync(at('real'), at('link'))
    assert.equal(ensureDataDir(at('link')), at('real'))
  })

  it('a folder of somebody else is refused', () => {
    if (process.getuid?.() === 0) {
      // Root owns nearly everything; nobody's folder is made here.
      mkdirSync(at('foreign'), { mode: 0o700 })
      chownSync(at('foreign'), NOBODY, NOBODY)
      assert.throws(() => ensureDataDir(at('foreign')), { code: 'DATA_DIR', message: /another user/ })
      assert.equal(ensurePrivateDir(at('foreign')), false)
    } else {
      assert.throws(() => ensureDataDir('/' as AbsPath), { code: 'DATA_DIR', message: /another user/ })
      assert.equal(ensurePrivateDir('/'), false)
    }
  })

  it('a folder for sockets is no link', () => {
    mkdirSync(at('real'), { mode: 0o700 })
    symlinkSync(at('real'), at('link'))
    assert.equal(ensurePrivateDir(at('link')), false)
    assert.equal(ensurePrivateDir(at('real')), true)
    assert.equal(ensurePrivateDir(at('fresh')), true)
  })
})
