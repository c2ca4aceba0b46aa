import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { look, openSync, type SyncFixture } from './fixture.js'

const hasGit = spawnSync('git', ['--version']).status === 0

/** A repository is thousands of small files, renames over others, packs and locks: whatever a sync gets wrong, fsck sees. */
function withGit(title: string, body: () => void): void {
  if (hasGit) describe(title, body)
  else process.stderr.write(`\n  NOT RUN: "${title}": there is no git\n\n`)
}

withGit('a git repository, worked in at one end and then at the other', () => {
  let fixture: SyncFixture
  afterEach(() => fixture.close())

  for (const [what, place] of [
    ['within the folder', 'repo'],
    ['that is the folder itself, with what we keep in it', '']
  ] as const)
    it(`commits, branches, gc and a rebase: sound and equal after each session: one ${what}`, async () => {
      fixture = await openSync({ mode: 'bidirectional' })
      const [here, there] = [join(fixture.source, place), join(fixture.destination, place)]
      mkdirSync(here, { recursive: true })
      const git = (cwd: string, ...args: string[]): string => {
        const env = { PATH: process.env.PATH, HOME: fixture.source, GIT_CONFIG_NOSYSTEM: '1', GIT_EDITOR: 'true' }
        const config = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'gc.auto=0']
        const { status, stdout, stderr } = spawnSync('git', [...config, ...args], { cwd, env, encoding: 'utf8' })
        assert.equal(status, 0, `git ${args.join(' ')}: ${stderr}`)
        return stdout
      }
      const commit = (cwd: string, message: string): void => {
        git(cwd, 'add', '-A')
        git(cwd, 'commit', '-q', '-m', message)
      }
      const step = async (what: string): Promise<void> => {
        // Packing takes most of the files of a small repository away, and no guard asks about it.
        const outcome = await fixture.run()
        assert.equal(outcome.state, 'done', what)
        if (outcome.state !== 'done') return
        assert.deepEqual([outcome.result.problems, outcome.remarks], [[], []], what)
        assert.deepEqual(look(fixture.destination), look(fixture.source), what)
        for (const at of [here, there]) {
          git(at, 'fsck', '--full', '--strict')
          // It would write down in the index what it saw: a change at both ends.
          assert.equal(git(at, '--no-optional-locks', 'status', '--porcelain'), '', `${what}: ${at} is clean`)
        }
        assert.equal(git(there, 'rev-parse', 'HEAD'), git(here, 'rev-parse', 'HEAD'), what)
      }

      git(here, 'init', '-q', '-b', 'main')
      for (let i = 0; i < 40; i++) {
        mkdirSync(join(here, `src/${i % 5}`), { recursive: true })
        writeFileSync(join(here, `src/${i % 5}/file ${i}.txt`), `line ${i}\n`.repeat(20 + i))
      }
      commit(here, 'first')
      await step('a new repository')

      git(there, 'checkout', '-q', '-b', 'topic')
      appendFileSync(join(there, 'src/1/file 1.txt'), 'more\n')
      git(there, 'mv', 'src/2', 'src/two')
      commit(there, 'on a branch')
      await step('a branch made at the other end')

      git(here, 'checkout', '-q', 'main')
      for (let i = 0; i < 3; i++) {
        appendFileSync(join(here, 'src/3/file 3.txt'), `change ${i}\n`)
        commit(here, `change ${i}`)
      }
      await step('back on main, and three commits')

      git(there, 'gc', '-q', '--prune=now')
      await step('packed at the other end')

      git(here, 'checkout', '-q', 'topic')
      git(here, 'rebase', '-q', 'main')
      rmSync(join(here, 'src/4'), { recursive: true })
      commit(here, 'without a folder')
      await step('rebased')

      git(there, 'checkout', '-q', 'main')
      git(there, 'merge', '-q', '--no-ff', '-m', 'merged', 'topic')
      git(there, 'branch', '-q', '-d', 'topic')
      git(there, 'gc', '-q', '--prune=now')
      await step('merged, the branch deleted, and packed again')
      const again = await fixture.run()
      assert.equal(again.state === 'done' && again.plan.operations, 0)
    })
})

describe('what git packs away', () => {
  let fixture: SyncFixture
  afterEach(() => fixture.close())

  it('is not held by a guard while the repository stays; without its HEAD it is, also where that went before', async () => {
    fixture = await openSync({ mode: 'mirror' })
    const at = (path: string): string => join(fixture.source, path)
    const object = (i: number): string => `repo/.git/objects/0a/${`${i}`.padStart(38, '0')}`
    mkdirSync(at('repo/.git/objects/0a'), { recursive: true })
    for (let i = 0; i < 45; i++) writeFileSync(at(object(i)), `object ${i}`)
    for (const name of ['.git/HEAD', 'a', 'b', 'c', 'd']) writeFileSync(at(`repo/${name}`), name)
    const run = async (): Promise<string> => {
      const outcome = await fixture.run()
      return outcome.state === 'halted' ? outcome.halts.map(h => h.reason).join() : outcome.state
    }
    assert.equal(await run(), 'done')
    for (let i = 0; i < 30; i++) rmSync(at(object(i)))
    assert.equal(await run(), 'done', '30 of 50 files, but a repository was packed')
    rmSync(at('repo/.git/HEAD'))
    assert.equal(await run(), 'done')
    for (let i = 30; i < 45; i++) rmSync(at(object(i)))
    assert.equal(await run(), 'too-many-deletions')
    assert.equal(readdirSync(join(fixture.destination, 'repo/.git/objects/0a')).length, 15)
  })
})
