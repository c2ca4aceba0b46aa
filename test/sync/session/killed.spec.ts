import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mode } from '../../../sync/reconcile/index.js'
import { tempDir } from '../../temp.js'
import { contents, look, openSync } from './fixture.js'

const ROLE = fileURLToPath(new URL('./session-role.js', import.meta.url))
/** How many points of a run are tried in each mode; where they lie differs from run to run. */
const POINTS = Number(process.env.SPACEDRIVE_KILLS ?? 3)

const text = (name: string, version: string): string => `${name} ${version} `.repeat(200 + (name.length % 7) * 400)

function put(dir: string, name: string, version: string): void {
  mkdirSync(dirname(join(dir, name)), { recursive: true })
  writeFileSync(join(dir, name), text(name, version))
}

/** What both ends agree on before. */
function before(dir: string): void {
  for (let i = 0; i < 60; i++) put(dir, `folder ${i % 6}/file ${i}`, 'before')
  for (const name of ['swap a', 'swap b', 'ring 1', 'ring 2', 'ring 3', 'becomes a folder', 'moves/deep/one']) {
    put(dir, name, 'before')
  }
  for (let i = 0; i < 20; i++) put(dir, `moves/album ${i % 3}/file ${i}`, 'before')
  for (const name of ['in it', 'deep/in it']) put(dir, `becomes a file/${name}`, 'before')
  symlinkSync('folder 1', join(dir, 'becomes no link'))
}

/** What changed since: something of each kind, enough for several batches. */
function edit(source: string, destination: string): void {
  for (let i = 0; i < 60; i += 3) put(source, `folder ${i % 6}/file ${i}`, 'edited')
  for (let i = 1; i < 60; i += 6) rmSync(join(source, `folder ${i % 6}/file ${i}`))
  for (let i = 0; i < 40; i++) put(source, `new/${i % 4}/file ${i}`, 'new')
  const move = (from: string, to: string): void => renameSync(join(source, from), join(source, to))
  for (const [a, b] of [
    ['swap a', 'aside'],
    ['swap b', 'swap a'],
    ['aside', 'swap b'],
    ['ring 1', 'aside'],
    ['ring 2', 'ring 1'],
    ['ring 3', 'ring 2'],
    ['aside', 'ring 3'],
    ['moves', 'moved']
  ] as const) {
    move(a, b)
  }
  // In a folder that moved: one moves out of it, one is edited, one is put into another folder that moved with it.
  move('moved/album 0/file 0', 'moved out')
  put(source, 'moved/album 1/file 1', 'edited')
  move('moved/album 2/file 2', 'moved/album 0/file 2')
  rmSync(join(source, 'becomes a file'), { recursive: true })
  put(source, 'becomes a file', 'new')
  rmSync(join(source, 'becomes no link'))
  put(source, 'becomes no link', 'new')
  rmSync(join(source, 'becomes a folder'))
  put(source, 'becomes a folder/with a file', 'new')
  symlinkSync('folder 1', join(source, 'link'))
  for (let i = 2; i < 60; i += 12) put(destination, `folder ${i % 6}/file ${i}`, 'edited there')
  put(destination, 'made there', 'new')
  // Both edited it: a conflict, which makes a copy.
  put(destination, 'folder 0/file 0', 'edited there as well')
}

/** Names that a group changes: for a moment, until it is taken up again, there may be nothing. */
const IN_A_GROUP = /^(swap|ring|becomes|move)/

describe('killed in the middle of a session', () => {
  const temp = tempDir('sd-killed-')
  after(() => temp.clean())

  async function role(...args: readonly string[]): Promise<ChildProcess> {
    const child = spawn(process.execPath, [ROLE, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(child.stdout!, 'data')
    return child
  }

  for (const mode of ['bidirectional', 'mirror', 'replica', 'backup'] as Mode[]) {
    it(`${mode}: each path is old or new, the next run finishes, nothing is lost`, async () => {
      const whole = await prepared(join(temp.path, `${mode}-whole`), mode)
      const child = await role(whole.at, mode)
      // It may have ended before its last word was read.
      const ended = once(child, 'exit')
      const from = performance.now()
      child.stdin!.write('go')
      await once(child.stdout!, 'data')
      const durationMs = performance.now() - from
      await ended
      const wanted = { source: look(whole.source), destination: look(whole.destination) }

      for (let i = 0; i < POINTS; i++) {
        const dir = await prepared(join(temp.path, `${mode}-${i}`), mode)
        const old = { source: look(dir.source), destination: look(dir.destination) }
        const had = new Set([...contents(dir.source), ...contents(dir.destination)])
        const delayMs = ((i + Math.random()) * durationMs) / POINTS
        const victim = await role(dir.at, mode)
        const gone = once(victim, 'exit')
        victim.stdin!.write('go')
        // The moment itself is what is random here.
        await new Promise(resolve => setTimeout(resolve, delayMs))
        victim.kill('SIGKILL')
        await gone
        const at = `killed after ${delayMs.toFixed(0)} of ${durationMs.toFixed(0)} ms`
        for (const end of ['source', 'destination'] as const)
          check(look(dir[end]), old[end], wanted[end], `${at}, ${end}`)
        ensureAll(had, dir, at)

        const next = await openSync({ at: dir.at, mode })
        try {
          const outcome = await next.run()
          assert.equal(outcome.state, 'done', at)
          assert.deepEqual(outcome.state === 'done' && outcome.result.problems, [], at)
          for (const end of ['source', 'destination'] as const) {
            assert.deepEqual(untimed(look(dir[end])), untimed(wanted[end]), at)
          }
          ensureAll(had, dir, at)
          const second = await next.run()
          assert.equal(second.state === 'done' && second.plan.operations, 0, `${at}: a second run does nothing`)
        } finally {
          await next.close()
          rmSync(dir.at, { recursive: true })
        }
      }
    })
  }

  for (const mode of ['bidirectional', 'mirror'] as Mode[]) {
    it(`${mode}: of a first run no agreement is left, so what is removed or edited since is no deletion`, async () => {
      const durationMs = await firstRun(join(temp.path, `first-${mode}-whole`), mode)
      for (let i = 0; i < POINTS; i++) {
        const at = join(temp.path, `first-${mode}-${i}`)
        // The beginning is looking and planning: what is written down while it goes on comes after that.
        const delayMs = ((POINTS + i + Math.random()) * durationMs) / (2 * POINTS)
        await firstRun(at, mode, delayMs)
        const { source, destination, ...next } = await openSync({ at, mode })
        const what = `killed after ${delayMs.toFixed(0)} of ${durationMs.toFixed(0)} ms`
        try {
          // It came to its end before it was killed: what is removed then is a deletion.
          if (next.db.get<{ archive: number }>('SELECT archive FROM syncs')!.archive === 1) continue
          const there = FIRST.filter(name => existsSync(join(destination, name)))
          for (const name of there.filter((_, n) => n % 3 === 0)) rmSync(join(destination, name))
          const edited = FIRST.filter((_, n) => n % 5 === 0)
          for (const name of edited) put(source, name, 'edited')
          const had = contents(source)
          const outcome = await next.run()
          // What was carried over and edited since would be replaced: a first mirror asks.
          const halts = mode === 'mirror' && edited.some(name => existsSync(join(destination, name)))
          if (outcome.state === 'halted') assert.ok(halts, what)
          else assert.equal(outcome.state, 'done', what)
          const has = contents(source)
          for (const content of had) assert.ok(has.has(content), `${what}: lost: ${content.slice(0, 30)}`)
          for (const name of FIRST) assert.ok(existsSync(join(source, name)), `${what}: ${name} is not at the source`)
          if (outcome.state === 'done')
            for (const name of FIRST) assert.ok(existsSync(join(destination, name)), `${what}: ${name} did not come`)
        } finally {
          await next.close()
          rmSync(at, { recursive: true })
        }
      }
    })
  }

  /** @param killMs - when it is killed; left out: it ends. @returns how long it took */
  async function firstRun(at: string, mode: Mode, killMs?: number): Promise<number> {
    const { source, close } = await openSync({ at, mode })
    for (const name of FIRST) {
      mkdirSync(dirname(join(source, name)), { recursive: true })
      writeFileSync(join(source, name), `${name} first`)
    }
    await close()
    const child = await role(at, mode, FIRST_STEPS)
    const ended = once(child, 'exit')
    const from = performance.now()
    child.stdin!.write('go')
    if (killMs === undefined) await once(child.stdout!, 'data')
    else {
      await new Promise(resolve => setTimeout(resolve, killMs))
      child.kill('SIGKILL')
    }
    const tookMs = performance.now() - from
    await ended
    return tookMs
  }
})

/** Files of a first run: several blocks of settles, in many batches. */
const FIRST = Array.from({ length: 800 }, (_, i) => `folder ${i % 6}/file ${i}`)
const FIRST_STEPS = '50'

/** Two folders in step, and then edited. */
async function prepared(at: string, mode: Mode): Promise<{ at: string; source: string; destination: string }> {
  const { source, destination, run, close } = await openSync({ at, mode })
  before(source)
  assert.equal((await run()).state, 'done')
  await close()
  edit(source, destination)
  for (const [n, path] of [join(source, 'folder 0/file 0'), join(destination, 'folder 0/file 0')].entries())
    utimesSync(path, 1_700_000_000 + n, 1_700_000_000 + n)
  return { at, source, destination }
}

function check(
  now: Record<string, string>,
  old: Record<string, string>,
  wanted: Record<string, string>,
  at: string
): void {
  for (const [path, is] of Object.entries(untimed(now))) {
    // A folder has its new name before what leaves it, or moves within it, has its own.
    const either = [path, path.replace(/^moved/, 'moves')].flatMap(at => [untimed(old)[at], untimed(wanted)[path]])
    // A conflict copy whose edit has not come yet, a folder not filled: what stands there is whole.
    assert.ok(either.includes(is), `${at}: ${path} is neither old nor new: ${is.slice(0, 60)}`)
  }
  for (const path of Object.keys(old))
    if (path in wanted && !IN_A_GROUP.test(path)) assert.ok(path in now, `${at}: ${path} is not there`)
}

function ensureAll(had: ReadonlySet<string>, dir: { source: string; destination: string }, at: string): void {
  const has = new Set([...contents(dir.source), ...contents(dir.destination)])
  for (const content of had) assert.ok(has.has(content), `${at}: lost: ${content.slice(0, 30)}`)
}

/** Contents and kinds alone: permission bits and times come last. */
const untimed = (tree: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(tree).map(([path, is]) => [path, is.replace(/ \d{3}( @\d+)?$/, '')]))
