import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownerTag } from '../../../storage/files/index.js'
import { tempDir } from '../../temp.js'
import { NOBODY, withoutRoot } from '../../unprivileged.js'

const ROLE = fileURLToPath(new URL('./unprivileged-role.js', import.meta.url))

withoutRoot('files without root', ROLE, () => {
  for (const how of ['native', 'plain']) {
    it(`a permission that is missing is the problem of its path, and modes that forbid everything arrive (${how})`, () => {
      const dir = tempDir()
      try {
        chmodSync(dir.path, 0o755)
        const make = (path: string, mode: number, owner: number): void => {
          mkdirSync(join(dir.path, path), { recursive: true })
          chmodSync(join(dir.path, path), mode)
          chownSync(join(dir.path, path), owner, owner)
        }
        make('mine', 0o755, NOBODY)
        make('mine/theirs', 0o755, 0)
        make('theirs', 0o755, 0)
        make('sticky', 0o1777, 0)
        make(`sticky/.spacedrive-tmp-${ownerTag('test')}-00000000-0000-4000-8000-000000000000`, 0o777, 0)
        const { stdout, stderr, status } = spawnSync(process.execPath, [ROLE, dir.path, how], { encoding: 'utf8' })
        assert.equal(status, 0, stderr)
        assert.deepEqual(JSON.parse(stdout), {
          stageInTheirs: 'NO_PERMISSION',
          openSticky: 'done',
          privateDir: 'NOT_PRIVATE',
          attributes: [],
          placed: ['NO_PERMISSION', 'done'],
          moved: [['tree', 0o555]],
          foreignStaging: 'NOT_PRIVATE'
        })
        assert.deepEqual(readdirSync(join(dir.path, 'mine')).sort(), ['b', 'theirs', 'tree'])
        assert.equal(lstatSync(join(dir.path, 'mine/b')).mode & 0o777, 0)
        assert.equal(lstatSync(join(dir.path, 'mine/tree/closed')).mode & 0o777, 0)
        assert.equal(existsSync(join(dir.path, 'mine/tree/closed/x')), true)
      } finally {
        dir.clean()
      }
    })
  }
})
