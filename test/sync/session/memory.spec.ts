import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { AbsPath } from '../../../storage/base/index.js'
import { type RelPath, ROOT } from '../../../storage/base/index.js'
import type { End, Mode } from '../../../sync/reconcile/index.js'
import type { SessionOutcome } from '../../../sync/session/index.js'
import { folder, type TreeBehind } from '../endpoints/folder.js'
import { treeBehind } from '../endpoints/memory/behind.js'
import type { MemoryNode } from '../endpoints/memory/disk.js'
import { walked } from '../endpoints/memory/looking.js'
import { MemoryServer } from '../endpoints/memory/syncing.js'
import { MemoryTree } from '../endpoints/memory/tree.js'
import { editTree, treeEdit } from '../endpoints/tree-edits.js'
import { contents, look, openSync, type SyncFixture } from './fixture.js'

/** More by SPACEDRIVE_RUNS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 2)

/** An end as the property sees it, past the session. */
interface Seen {
  readonly tree: TreeBehind
  /** Everything it shows: path -> what it is, as a text. */
  look(): Record<string, string>
  /** Every content that is anywhere at it. */
  contents(): Set<string>
}

describe('a session between a folder and a tree in memory', () => {
  for (const side of ['destination', 'source'] as End[])
    for (const mode of ['bidirectional', 'mirror', 'replica', 'backup'] as Mode[])
      it(`${mode}, its ${side} in memory: nothing is lost, a second run does nothing`, () => converges(side, mode))
})

async function converges(side: End, mode: Mode): Promise<void> {
  const rounds = fc.array(fc.array(treeEdit, { maxLength: 12 }), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(rounds, async edits => {
      const server = new MemoryServer(new MemoryTree())
      const fixture = await openSync({
        mode,
        openEnd: async (end, { uuid }) => (end === side ? server.open(uuid) : undefined)
      })
      const here = side === 'source' ? 'destination' : 'source'
      const ends = { [here]: seenFolder(fixture[here]), [side]: seenMemory(server) } as Record<End, Seen>
      try {
        for (const round of edits) {
          for (const edit of round) editTree(ends[edit.end].tree, edit)
          await once(fixture, ends, mode)
        }
      } finally {
        await fixture.close()
      }
    }),
    { numRuns: RUNS, endOnFailure: true }
  )
}

async function once(fixture: SyncFixture, ends: Record<End, Seen>, mode: Mode): Promise<void> {
  const before = all(ends)
  const source = ends.source.look()
  const outcome = await forced(fixture)
  assert.equal(outcome.state, 'done')
  if (outcome.state !== 'done') return
  const after = all(ends)
  for (const text of before) assert.ok(after.has(text), `lost: ${text}`)
  assert.deepEqual(outcome.result.problems, [])
  if (mode !== 'bidirectional') assert.deepEqual(ends.source.look(), source)
  // An empty source deletes nothing.
  if (mode === 'bidirectional' || (mode === 'mirror' && Object.keys(source).length > 0))
    assert.deepEqual(ends.destination.look(), ends.source.look())
  const again = await forced(fixture)
  assert.equal(again.state === 'done' && again.plan.operations, 0, 'a second run does nothing')
}

/** What a guard stops is meant. */
async function forced(fixture: SyncFixture): Promise<SessionOutcome> {
  const outcome = await fixture.run()
  if (outcome.state !== 'halted') return outcome
  return fixture.run({ force: { planHash: outcome.plan.hash, totals: outcome.plan.totals } })
}

const all = (ends: Record<End, Seen>): Set<string> =>
  new Set([...ends.source.contents(), ...ends.destination.contents()])

const seenFolder = (dir: string): Seen => ({
  tree: folder(dir as AbsPath),
  look: () => look(dir, { times: false }),
  contents: () => contents(dir)
})

function seenMemory(server: MemoryServer): Seen {
  const { tree } = server
  return {
    tree: treeBehind(tree),
    look: () =>
      Object.fromEntries(
        [...walked({ root: tree.root, ours: [] }, ROOT, {})]
          .filter(({ path }) => path !== ROOT)
          .map(({ path, stat, target }) => [path, shown(path, stat.kind, stat.mode.toString(8), target)])
      ),
    contents() {
      const found = new Set<string>()
      const go = (node: MemoryNode): void => {
        if (node.kind === 'file') found.add(node.content.bytes().toString())
        for (const child of node.children.values()) go(child)
      }
      for (const node of [tree.root, ...server.kept, ...[...tree.staged.values()].map(({ top }) => top)]) go(node)
      return found
    }
  }

  function shown(path: RelPath, kind: string, mode: string, target: string | undefined): string {
    if (kind === 'symlink') return `-> ${target}`
    return kind === 'directory' ? `folder ${mode}` : `${treeBehind(tree).read(path)} ${mode}`
  }
}
