import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RelPath } from '../../../storage/base/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import type { SessionInit, SessionPhase } from '../../../sync/session/index.js'
import { tempDir } from '../../temp.js'
import { look, openSync, type SyncFixture } from './fixture.js'

const ROLE = fileURLToPath(new URL('./session-role.js', import.meta.url))
const FILES = 600

function fill(dir: string): void {
  for (let i = 0; i < FILES; i++) {
    mkdirSync(join(dir, `d${i % 7}`), { recursive: true })
    writeFileSync(join(dir, `d${i % 7}/f${i}`), `content ${i}`, { mode: i % 2 === 0 ? 0o640 : 0o600 })
  }
}

/** What lies staged at an end before its plan was made, by its inode. */
function stagedEarly(dir: string): Set<number> {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' })
  return new Set(names.filter(name => /\/early-\d+$/.test(name)).map(name => statSync(join(dir, name)).ino))
}

const files = (dir: string): string[] => Object.keys(look(dir)).filter(path => statSync(join(dir, path)).isFile())

describe('content of a first sync into an empty folder', () => {
  let fixture: SyncFixture
  const open = async (mode: Mode, ignore: readonly string[] = []): Promise<void> => {
    fixture = await openSync({ mode, ignore })
    fill(fixture.source)
  }
  const at = (path: string): string => join(fixture.source, path)
  const run = async (options: Partial<SessionInit> = {}) => {
    const outcome = await fixture.run(options)
    assert.equal(outcome.state, 'done')
    return outcome.state === 'done' ? outcome : assert.fail()
  }
  const when =
    (phase: SessionPhase, act: () => void) =>
    (begins: SessionPhase): void => {
      if (begins === phase) act()
    }
  afterEach(() => fixture.close())

  for (const mode of ['mirror', 'bidirectional', 'replica', 'backup'] as const)
    it(`${mode}: is staged while the plan is made, has no name until then, and is not copied again`, async () => {
      await open(mode)
      let early = new Set<number>()
      const onPhase = when('Applying changes', () => {
        assert.deepEqual(look(fixture.destination), {})
        early = stagedEarly(fixture.destination)
      })
      assert.deepEqual((await run({ onPhase })).result.problems, [])
      assert.deepEqual(look(fixture.destination), look(fixture.source))
      const placed = new Set(files(fixture.destination).map(path => statSync(join(fixture.destination, path)).ino))
      assert.ok(early.size > 0)
      assert.deepEqual(new Set([...early].filter(inode => !placed.has(inode))), new Set())
      assert.equal((await run()).plan.operations, 0)
    })

  it('what is ignored is not staged', async () => {
    await open('mirror', ['d1'])
    writeFileSync(at('d0/.spacedriveignore'), '*\n')
    let staged = 0
    await run({
      onPhase: when('Applying changes', () => {
        staged = stagedEarly(fixture.destination).size
      })
    })
    assert.ok(staged > 0 && staged <= files(fixture.destination).length)
    assert.deepEqual(
      Object.keys(look(fixture.destination)).filter(path => /^d[01]/.test(path)),
      ['d0']
    )
  })

  it('a plan that is left to another run leaves nothing of it', async () => {
    await open('mirror')
    let staged = 0
    const outcome = await fixture.run({
      async more() {
        staged = stagedEarly(fixture.destination).size
        return 'leave'
      }
    })
    assert.equal(outcome.state, 'planned')
    assert.deepEqual([staged > 0, stagedEarly(fixture.destination).size], [true, 0])
    assert.deepEqual(look(fixture.destination), {})
  })

  it('what changes once it was staged comes as it was seen, whole; the next run takes the change', async () => {
    await open('bidirectional')
    await run({
      onPhase: when('Applying changes', () => {
        writeFileSync(at('d0/f0'), 'changed')
        renameSync(at('d1/f1'), at('d1/renamed'))
      })
    })
    assert.equal(readFileSync(join(fixture.destination, 'd0/f0'), 'utf8'), 'content 0')
    await run()
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    assert.equal(readFileSync(at('d0/f0'), 'utf8'), 'changed')
  })

  it('what is told to have changed while it was planned is taken as it is now', async () => {
    await open('mirror')
    let asked = 0
    const { result } = await run({
      async more() {
        if (asked++ > 0) return undefined
        writeFileSync(at('d0/f0'), 'CONTENT 0')
        return { source: [{ path: 'd0/f0' as RelPath, subtree: false }], destination: [] }
      }
    })
    assert.deepEqual(result.problems, [])
    assert.deepEqual(look(fixture.destination), look(fixture.source))
    assert.equal((await run()).plan.operations, 0)
  })
})

describe('killed when the plan is there and content lies staged', () => {
  const temp = tempDir('sd-early-')
  after(() => temp.clean())

  for (const mode of ['mirror', 'bidirectional'] as const)
    it(`${mode}: nothing has a name, the next run does all of it and leaves nothing lying about`, async () => {
      const dir = join(temp.path, mode)
      const [source, destination] = [join(dir, 'source'), join(dir, 'destination')]
      fill(source)
      const child = spawn(process.execPath, [ROLE, dir, mode, 'Applying changes'], {
        stdio: ['pipe', 'pipe', 'inherit']
      })
      await once(child.stdout, 'data')
      const ended = once(child, 'exit')
      child.stdin.write('go')
      await ended
      assert.deepEqual(look(destination), {})
      assert.ok(stagedEarly(destination).size > 0)
      const fixture = await openSync({ at: dir, mode })
      try {
        const outcome = await fixture.run()
        assert.deepEqual(outcome.state === 'done' && outcome.result.problems, [])
        assert.deepEqual(look(destination), look(source))
        assert.equal(stagedEarly(destination).size, 0)
      } finally {
        await fixture.close()
      }
    })
})
