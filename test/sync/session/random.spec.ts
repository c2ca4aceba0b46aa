import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import type { Mode } from '../../../sync/reconcile/index.js'
import { look, openSync, type SyncFixture } from './fixture.js'

/** More by SPACEDRIVE_RUNS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 4)
const NAMES = ['a', 'b', 'c', 'd.txt']
const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))

const edit = fc.record({
  end: fc.constantFrom('source' as const, 'destination' as const),
  kind: fc.constantFrom('write', 'write', 'save', 'delete', 'move', 'move', 'folder', 'link', 'mode'),
  path,
  to: path,
  text: fc.integer({ min: 1, max: 99 }).map(n => `text ${n}`)
})
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

/** What a person does, where it can be done. */
function apply(dir: string, { kind, path: rel, to, text }: Edit): void {
  const at = join(dir, rel)
  try {
    const there = lstatSync(at, { throwIfNoEntry: false })
    if (kind === 'write') mkdirSync(dirname(at), { recursive: true })
    if (kind === 'write' && there?.isDirectory() !== true && there?.isSymbolicLink() !== true) writeFileSync(at, text)
    else if (kind === 'save') {
      writeFileSync(`${at}.new`, text)
      renameSync(`${at}.new`, at)
    } else if (kind === 'delete') rmSync(at, { recursive: true })
    else if (kind === 'move' && !existsSync(join(dir, to))) renameSync(at, join(dir, to))
    else if (kind === 'folder') mkdirSync(at)
    else if (kind === 'link' && there === undefined) symlinkSync(text.trim(), at)
    else if (kind === 'mode' && there !== undefined && !there.isSymbolicLink())
      chmodSync(at, there.isDirectory() ? 0o750 : 0o640)
  } catch (err) {
    // What cannot be done is not done: no folder there, a folder in the way.
    const { code } = err as { code?: string }
    if (!['ENOENT', 'ENOTDIR', 'EEXIST', 'EISDIR', 'ENOTEMPTY', 'EINVAL'].includes(code ?? '')) throw err
    if (existsSync(`${at}.new`)) rmSync(`${at}.new`)
  }
}

/** Every content that is anywhere: in the folder, and in the versions. */
function contents(dir: string): Set<string> {
  const found = new Set<string>()
  const walk = (at: string): void => {
    for (const name of readdirSync(at)) {
      if (name === 'lists' || name === 'root.json') continue // what we write of them
      const stat = lstatSync(join(at, name))
      if (stat.isDirectory()) walk(join(at, name))
      else if (stat.isFile()) found.add(readFileSync(join(at, name), 'utf8'))
    }
  }
  walk(dir)
  return found
}

async function once(fixture: SyncFixture) {
  const outcome = await fixture.run()
  if (outcome.state === 'halted') {
    const force = { planHash: outcome.plan.hash, totals: outcome.plan.totals }
    return fixture.run({ force })
  }
  return outcome
}

describe('random edits on both sides of a sync', function () {
  this.timeout(300_000)

  for (const mode of ['bidirectional', 'mirror', 'replica', 'backup'] as Mode[]) {
    it(`${mode}: nothing is lost, a second run does nothing${mode === 'bidirectional' ? ', both ends are equal' : ', the source is as it was'}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(edit, { maxLength: 12 }), { minLength: 1, maxLength: 3 }), async rounds => {
          const fixture = await openSync({ mode })
          try {
            for (const edits of rounds) {
              for (const e of edits) apply(fixture[e.end], e)
              const before = new Set([...contents(fixture.source), ...contents(fixture.destination)])
              const source = look(fixture.source)
              const outcome = await once(fixture)
              assert.equal(outcome.state, 'done')
              if (outcome.state !== 'done') return
              const after = new Set([...contents(fixture.source), ...contents(fixture.destination)])
              for (const text of before) assert.ok(after.has(text), `lost: ${text.slice(0, 20)}`)
              if (mode !== 'bidirectional') assert.deepEqual(look(fixture.source), source)
              const tangled = outcome.result.problems.filter(p => p.code === 'TANGLED')
              assert.deepEqual(
                outcome.result.problems.filter(p => p.code !== 'TANGLED'),
                []
              )
              if (tangled.length > 0) return
              // An empty source deletes nothing.
              if (mode === 'bidirectional' || (mode === 'mirror' && Object.keys(source).length > 0))
                assert.deepEqual(look(fixture.destination, { times: false }), look(fixture.source, { times: false }))
              const again = await once(fixture)
              assert.equal(again.state === 'done' && again.plan.operations, 0, 'a second run does nothing')
            }
          } finally {
            await fixture.close()
          }
        }),
        { numRuns: RUNS, endOnFailure: true }
      )
    })
  }
})
