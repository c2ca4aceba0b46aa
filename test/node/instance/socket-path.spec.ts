import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { chooseSocketPath, MAX_SOCKET_PATH_BYTES } from '../../../node/instance/index.js'
import type { AbsPath } from '../../../storage/base/index.js'
import { tempDir } from '../../temp.js'

describe('where the socket lies', () => {
  let temp: ReturnType<typeof tempDir>
  beforeEach(() => {
    temp = tempDir()
  })
  afterEach(() => temp.clean())

  it('in the runtime directory, under a name that tells data directories apart', () => {
    const env = { XDG_RUNTIME_DIR: temp.path }
    const one = chooseSocketPath('/data/one/instance-alice' as AbsPath, env)
    const two = chooseSocketPath('/data/two/instance-alice' as AbsPath, env)
    assert.equal(dirname(one), join(temp.path, 'spacedrive'))
    assert.match(one, /alice-[0-9a-f]{16}\.sock$/)
    assert.notEqual(one, two)
    assert.equal(chooseSocketPath('/data/one/instance-alice' as AbsPath, env), one)
    assert.equal(statSync(dirname(one)).mode & 0o777, 0o700)
  })

  for (const [why, make] of [
    ['is open to others', (dir: string) => chmodSync(dir, 0o755)],
    [
      'holds a link where the folder should be',
      (dir: string) => {
        mkdirSync(join(dir, 'elsewhere'), { mode: 0o700 })
        symlinkSync(join(dir, 'elsewhere'), join(dir, 'spacedrive'))
      }
    ],
    ['is not there', (dir: string) => rmSync(dir, { recursive: true })]
  ] as const) {
    it(`a runtime directory that ${why} is not used`, () => {
      make(temp.path)
      assert.equal(chooseSocketPath('/data' as AbsPath, { XDG_RUNTIME_DIR: temp.path }), '/data/daemon.sock')
    })
  }

  it('a relative runtime directory is not used', () => {
    assert.equal(chooseSocketPath('/data' as AbsPath, { XDG_RUNTIME_DIR: 'run' }), '/data/daemon.sock')
  })

  it('a path at the limit is taken, one byte more goes to a private temporary folder', () => {
    const fill = (bytes: number): AbsPath => `/${'d'.repeat(bytes - '/'.length - '/daemon.sock'.length)}` as AbsPath
    assert.equal(Buffer.byteLength(chooseSocketPath(fill(MAX_SOCKET_PATH_BYTES), {})), MAX_SOCKET_PATH_BYTES)
    const other = chooseSocketPath(fill(MAX_SOCKET_PATH_BYTES + 1), {})
    try {
      assert.match(other, /\/spacedrive-\w{6}\/d\.sock$/)
      assert.equal(statSync(dirname(other)).mode & 0o777, 0o700)
    } finally {
      rmSync(dirname(other), { recursive: true })
    }
  })
})
