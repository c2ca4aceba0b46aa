import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { MAIN, type TestInstance, testInstance } from '../../cli.js'
import { tempDir } from '../../temp.js'

const PROGRAM = dirname(MAIN)
const DIST = dirname(PROGRAM)
const ROOT = dirname(DIST)

describe('a program that is updated while its daemon runs', () => {
  let temp: ReturnType<typeof tempDir>
  let peer: TestInstance
  let from: string
  let program: string

  beforeEach(async () => {
    temp = tempDir()
    const dist = join(temp.path, 'dist')
    cpSync(DIST, dist, { recursive: true, filter: path => basename(path) !== 'test' })
    cpSync(join(ROOT, 'package.json'), join(temp.path, 'package.json'))
    symlinkSync(join(ROOT, 'node_modules'), join(temp.path, 'node_modules'))
    program = join(dist, 'program')
    from = join(temp.path, 'from')
    mkdirSync(from)
    writeFileSync(join(from, 'a'), 'content')
    peer = testInstance('updated', { main: join(program, basename(MAIN)) })
    await peer.ok('start')
    await peer.ok('status') // all of it has begun
  })
  afterEach(async () => {
    await peer.clean()
    temp.clean()
  })

  /** As an update does: other files in the place of those that the daemon began with. */
  function update(): void {
    writeFileSync(join(program, 'build'), readFileSync(join(program, 'build'), 'latin1').replace(/^./, 'x'))
  }

  /** As the time between an update's two halves, or an uninstalled package. */
  function remove(): void {
    rmSync(program, { recursive: true })
  }

  for (const [what, change] of [
    ['updated', update],
    ['removed', remove]
  ] as const) {
    it(`says so where a part of it that was ${what} is needed, and what to do; after a restart it goes on`, async () => {
      change()
      const failed = (await peer.client
        .call('file.copy', { sources: [from], destination: join(temp.path, 'to'), overwrite: 'replace', keep: false })
        .catch((err: unknown) => err)) as { code: string; hint: string }
      assert.equal(failed.code, 'PROGRAM_CHANGED', String(failed))
      assert.match(failed.hint, /`spacedrive restart`/)
      cpSync(PROGRAM, program, { recursive: true })
      await peer.ok('restart')
      await peer.ok('file', 'copy', from, join(temp.path, 'to'))
      assert.equal(readFileSync(join(temp.path, 'to', 'a'), 'utf8'), 'content')
    })
  }

  it('goes on with what it has loaded', async () => {
    await peer.ok('file', 'copy', from, join(temp.path, 'first'))
    update()
    await peer.ok('file', 'copy', from, join(temp.path, 'second'))
    assert.equal(readFileSync(join(temp.path, 'second', 'a'), 'utf8'), 'content')
  })
})
