import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { downloadsFolder } from '../../../protocols/spacedrop/downloads.js'
import { ensureFolder, ensureSpace, lookAtFolder } from '../../../protocols/spacedrop/folder.js'
import type { AbsPath } from '../../../storage/base/index.js'
import { canMount, mountImage } from '../../mounts.js'
import { tempDir } from '../../temp.js'

describe('the folder that receives', () => {
  const dir = tempDir()
  after(() => dir.clean())
  const at = (name: string): AbsPath => join(dir.path, name) as AbsPath

  it('is looked at without anything being written into it, also when it is not there yet', async () => {
    const look = await lookAtFolder(at('not/there/yet'))
    assert.equal(look.facts.maxNameBytes, 255)
    assert.equal(look.facts.foldsCase, false)
    assert.ok(look.freeBytes > 0 && look.reserveBytes >= 512 * 2 ** 20)
    assert.deepEqual(readdirSync(dir.path), [])
  })

  it('exactly what is free but for the reserve fits, one byte more does not', () => {
    const look = { freeBytes: 1_000, reserveBytes: 400 } as Awaited<ReturnType<typeof lookAtFolder>>
    ensureSpace(look, 600, at('x'))
    assert.throws(() => ensureSpace(look, 601, at('x')), { code: 'NO_SPACE' })
  })

  it('the downloads folder is made with its parents, one that was typed only in a folder that is there', async () => {
    await ensureFolder(at('a/b/c'), { parents: true, ours: at('data') })
    await assert.rejects(ensureFolder(at('x/y'), { parents: false, ours: at('data') }), { code: 'NOT_FOUND' })
    await ensureFolder(at('z'), { parents: false, ours: at('data') })
    await ensureFolder(at('z'), { parents: false, ours: at('data') })
    await assert.rejects(ensureFolder(at('data/z'), { parents: true, ours: at('data') }), { code: 'OURS' })
    writeFileSync(at('file'), '')
    await assert.rejects(ensureFolder(at('file'), { parents: false, ours: at('data') }), { code: 'NOT_A_FOLDER' })
  })

  for (const [what, text, expected] of [
    ['as the desktop says', 'XDG_DOWNLOAD_DIR="$HOME/Fetched"\n', 'Fetched'],
    ['an escaped name', '# x\nXDG_DESKTOP_DIR="$HOME/D"\nXDG_DOWNLOAD_DIR="$HOME/My \\"own\\""\n', 'My "own"'],
    ['switched off', 'XDG_DOWNLOAD_DIR="$HOME/"\n', 'Downloads'],
    ['not absolute', 'XDG_DOWNLOAD_DIR="relative"\n', 'Downloads'],
    ['no such line', 'XDG_MUSIC_DIR="$HOME/Music"\n', 'Downloads']
  ] as const) {
    it(`downloads: ${what}`, () => {
      const home = join(dir.path, what.replaceAll(' ', '-'))
      mkdirSync(join(home, '.config'), { recursive: true })
      writeFileSync(join(home, '.config/user-dirs.dirs'), text)
      assert.equal(downloadsFolder({ home, env: {} }), join(home, expected))
    })
  }
  it('downloads: from the environment, and without any file', () => {
    assert.equal(downloadsFolder({ home: '/h', env: { XDG_DOWNLOAD_DIR: '/d/' } }), '/d')
    assert.equal(downloadsFolder({ home: '/h', env: { XDG_CONFIG_HOME: '/nowhere' } }), '/h/Downloads')
  })
})

canMount('a folder on a small disk', () => {
  it('has no room for a single byte: said with the figures, before anything is taken', async () => {
    const dir = tempDir()
    const image = mountImage('ext4', 16)
    try {
      image.mount(dir.path)
      const look = await lookAtFolder(dir.path)
      assert.throws(() => ensureSpace(look, 1, dir.path), { code: 'NO_SPACE', message: /1 bytes are offered/ })
    } finally {
      image.clean()
      dir.clean()
    }
  })
})
