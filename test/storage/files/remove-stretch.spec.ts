import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { RelPath } from '../../../storage/base/index.js'
import { type Disk, nodeDisk } from '../../../storage/files/index.js'
import { removeStretch } from '../../../storage/files/remove-stretch.js'
import { tempDir } from '../../temp.js'
import { spied, systemError } from './kit.js'

/** Paths of files; directories come with them. */
const trees = fc.uniqueArray(fc.stringMatching(/^[a-d](\/[a-d]{1,2}){0,4}$/), { minLength: 1, maxLength: 30 })

describe('removing a tree for good', () => {
  const disk = nodeDisk()

  function plant(dir: string, paths: readonly string[]): string[] {
    mkdirSync(join(dir, 'tree'))
    return paths.filter(path => {
      const at = join(dir, 'tree', path)
      try {
        mkdirSync(join(at, '..'), { recursive: true })
        if (existsSync(at)) return false
        writeFileSync(at, path)
        return true
      } catch {
        return false // a file stands where a directory should be
      }
    })
  }

  function removeAll(on: Disk, dir: string, maxNames: number) {
    const sum = { files: 0, bytes: 0, problems: [] as string[], calls: 0 }
    const parent = on.openRoot(dir)
    for (let after: RelPath | undefined; ; sum.calls++) {
      const stretch = removeStretch(on, parent, 'tree', { after, maxNames, blamed: sum.problems.length > 0 })
      sum.files += stretch.files
      sum.bytes += stretch.bytes
      sum.problems.push(...stretch.problems.map(p => p.code))
      if (stretch.done) break
      assert.ok(sum.calls < 1_000, 'it gets on')
      after = stretch.at
    }
    on.close(parent)
    return sum
  }

  it('whatever the tree and the length of a stretch: all of it goes, each file counted once', () => {
    fc.assert(
      fc.property(trees, fc.integer({ min: 1, max: 7 }), (paths, maxNames) => {
        const dir = tempDir()
        try {
          const files = plant(dir.path, paths)
          const sum = removeAll(disk, dir.path, maxNames)
          assert.deepEqual([sum.files, sum.problems], [files.length, []])
          assert.equal(sum.bytes, files.join('').length)
          assert.deepEqual(readdirSync(dir.path), [])
        } finally {
          dir.clean()
        }
      }),
      { numRuns: 40 }
    )
  })

  it('what the system refuses stays with the way to it and is told once; the rest goes', () => {
    fc.assert(
      fc.property(trees, fc.nat(29), fc.integer({ min: 1, max: 7 }), (paths, nth, maxNames) => {
        const dir = tempDir()
        try {
          const files = plant(dir.path, paths)
          const kept = files[nth % files.length]!
          const { ino } = lstatSync(join(dir.path, 'tree', kept), { bigint: true })
          const refusing = spied(disk, (call, [at, name], real) => {
            if (call === 'unlink' && real.lstat(at as never, name as string).inode === ino) throw systemError('EPERM')
          })
          const sum = removeAll(refusing, dir.path, maxNames)
          assert.deepEqual([sum.files, sum.problems], [files.length - 1, ['NO_PERMISSION']])
          assert.ok(existsSync(join(dir.path, 'tree', kept)))
          const left = readdirSync(join(dir.path, 'tree'), { recursive: true, withFileTypes: true })
          assert.equal(left.filter(e => e.isFile()).length, 1)
        } finally {
          dir.clean()
        }
      }),
      { numRuns: 30 }
    )
  })
})
