import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownerTag } from '../../../storage/files/index.js'
import { canMount, mountImage } from '../../mounts.js'
import { tempDir } from '../../temp.js'
import { NOBODY, withoutRoot } from '../../unprivileged.js'

const ROLE = fileURLToPath(new URL('./unprivileged-role.js', import.meta.url))
const BIN = `/.spacedrive/trash/${ownerTag('test')}`

withoutRoot('trash without root', ROLE, () => {
  // So that nothing above it may be written.
  canMount('on a file system of its own', () => {
    it('the bin is at the top-most folder that may be written, and what may not go stays and is told', () => {
      const dir = tempDir()
      const image = mountImage('ext4', 16)
      try {
        image.mount(dir.path)
        chmodSync(dir.path, 0o755)
        const make = (path: string, mode: number, owner: number): void => {
          const at = join(dir.path, path)
          mkdirSync(path.endsWith('/') ? at : dirname(at), { recursive: true })
          if (!path.endsWith('/')) writeFileSync(at, 'x')
          chmodSync(at, mode)
          chownSync(at, owner, owner)
        }
        make('theirs/', 0o755, 0)
        make('theirs/mine/', 0o755, NOBODY)
        make('theirs/mine/deep/', 0o755, NOBODY)
        make('theirs/mine/a', 0o644, NOBODY)
        make('theirs/mine/theirs-dir/', 0o755, 0) // to another folder, a directory must itself be writable
        make('theirs/mine/readonly/', 0o755, NOBODY)
        make('theirs/mine/readonly/x', 0o644, NOBODY)
        chmodSync(join(dir.path, 'theirs/mine/readonly'), 0o555)
        make('theirs/mine/mixed/', 0o755, NOBODY)
        make('theirs/mine/mixed/b', 0o644, NOBODY)
        make('theirs/mine/mixed/sub/', 0o755, 0)
        make('theirs/mine/mixed/sub/c', 0o644, 0)
        make('theirs/locked/', 0o755, 0)
        // Somebody else made our area first: the next folder down is taken.
        make('taken/', 0o777, 0)
        make('taken/.spacedrive/', 0o700, 0)
        make('taken/mine/', 0o755, NOBODY)
        const { stdout, stderr, status } = spawnSync(process.execPath, [ROLE, dir.path], { encoding: 'utf8' })
        assert.equal(status, 0, stderr)
        assert.deepEqual(JSON.parse(stdout), {
          mine: `/theirs/mine${BIN}`,
          theirs: 'NO_TRASH',
          taken: `/taken/mine${BIN}`,
          thrown: ['done', 'NO_PERMISSION', 'NO_PERMISSION'],
          removed: [
            [1, [['/theirs/mine/mixed/sub/c', 'NO_PERMISSION']]],
            [0, [['/theirs/locked', 'NO_PERMISSION']]]
          ]
        })
        assert.deepEqual(readdirSync(join(dir.path, 'theirs/mine')).sort(), [
          '.spacedrive',
          'deep',
          'mixed',
          'readonly',
          'theirs-dir'
        ])
        assert.equal(existsSync(join(dir.path, 'theirs/mine/mixed/sub/c')), true)
      } finally {
        image.clean()
        dir.clean()
      }
    })
  })
})
