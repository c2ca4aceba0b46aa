import assert from 'node:assert/strict'
import fc from 'fast-check'
import { AlikeEnd, codeOr, STAGED, type Wanted } from './alike.js'
import type { MakeEndpoint } from './endpoint-suite.js'
import type { TreeBehind } from './folder.js'
import { memoryFixture } from './memory/fixture.js'
import { isFree } from './tree-edits.js'

/** More by SPACEDRIVE_RUNS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 12)

const name = fc.constantFrom('a', 'b', 'c')
const short = fc.array(name, { minLength: 1, maxLength: 2 }).map(names => names.join('/'))
const long = fc.array(name, { minLength: 3, maxLength: 3 }).map(names => names.join('/'))
const path = fc.oneof({ weight: 5, arbitrary: short }, { weight: 1, arbitrary: long })
const any = fc.oneof(
  { weight: 9, arbitrary: path },
  { weight: 1, arbitrary: fc.constantFrom('', '.spacedrive', '.spacedrive/root.json') }
)
const from = fc.constantFrom(...Object.keys(STAGED), 'none')
const mode = fc.constantFrom(0o644, 0o755, 0o700, 0o4755)
const step: fc.Arbitrary<Wanted> = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), path, from }),
  fc.record({ kind: fc.constant('replace' as const), path, from, seen: path }),
  fc.record({ kind: fc.constant('remove' as const), path, seen: path }),
  fc.record({ kind: fc.constant('move' as const), path, to: path, seen: path }),
  fc.record({ kind: fc.constant('make-directory' as const), path, mode }),
  fc.record({ kind: fc.constant('remove-directory' as const), path }),
  fc.record({ kind: fc.constant('attributes' as const), path, seen: path, mode })
)
/** Mostly what is expected is what stands there. */
const steps = fc
  .array(fc.tuple(step, fc.nat(9)), { minLength: 1, maxLength: 6 })
  .map(list => list.map(([one, n]) => ('seen' in one && n > 0 ? { ...one, seen: one.path } : one)))
const command = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('write' as const), path, text: fc.constantFrom('one', 'four', '') })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('mkdir' as const, 'symlink' as const, 'remove' as const, 'area' as const),
      path
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fifo' as const), path }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('rename' as const), path, to: path }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('see' as const) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('place' as const, 'group' as const), steps }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('look' as const), paths: fc.array(any, { maxLength: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('trash' as const, 'read' as const),
      paths: fc.array(path, { maxLength: 4 })
    })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('list' as const), path: any }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('walk' as const),
      path: any,
      depth: fc.nat(3),
      except: fc.array(path, { maxLength: 2 })
    })
  }
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

/** An end and a tree in memory are asked the same and edited alike. To be called within a `describe`. */
export function alikeSuite(make: MakeEndpoint): void {
  it('answers every call as a tree in memory does, whatever is edited, placed and thrown away between', () => {
    return fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 3, maxLength: 20 }), async commands => {
        const ends = [new AlikeEnd(await make()), new AlikeEnd(await memoryFixture())]
        try {
          for (const one of commands) await check(ends, one)
        } finally {
          for (const { fixture } of ends) await fixture.close()
        }
      }),
      { numRuns: RUNS, endOnFailure: process.env.SPACEDRIVE_RUNS === undefined }
    )
  })
}

async function check(ends: readonly AlikeEnd[], one: Command): Promise<void> {
  const answers: unknown[] = []
  for (const end of ends) answers.push(await codeOr(async () => run(end, one)))
  const [real, memory] = answers
  assert.deepEqual(memory, real, JSON.stringify(one))
  const [there, here] = [await ends[0]!.tree(), await ends[1]!.tree()]
  assert.deepEqual(here, there, JSON.stringify(one))
}

async function run(end: AlikeEnd, one: Command): Promise<unknown> {
  switch (one.do) {
    case 'see':
      return end.see()
    case 'place':
    case 'group':
      return end.place(
        one.do === 'group' ? one.steps.filter(s => s.kind !== 'attributes') : one.steps,
        one.do === 'group'
      )
    case 'trash':
    case 'look':
    case 'read':
      return end[one.do](one.paths)
    case 'list':
      return end.list(one.path)
    case 'walk':
      return end.walk(one.path, one.depth, one.except)
    default:
      return edit(end.fixture.tree, one)
  }
}

/** By hand, where it can be done. */
function edit(
  tree: TreeBehind,
  one: Extract<Command, { do: 'write' | 'mkdir' | 'symlink' | 'remove' | 'fifo' | 'rename' | 'area' }>
): void {
  const kind = tree.kind(one.path)
  const free = isFree(tree, one.path)
  if (one.do === 'write' && (free || kind === 'file')) tree.write(one.path, one.text)
  else if (one.do === 'mkdir' && free) tree.mkdir(one.path)
  else if (one.do === 'symlink' && free) tree.symlink(one.path, 'nowhere')
  else if (one.do === 'fifo' && free) tree.fifo(one.path)
  else if (one.do === 'remove' && kind !== undefined) tree.remove(one.path)
  else if (one.do === 'area' && kind === 'directory') tree.write(`${one.path}/.spacedrive/root.json`, '{}')
  else if (one.do === 'rename' && kind !== undefined && !one.to.startsWith(`${one.path}/`) && isFree(tree, one.to))
    tree.rename(one.path, one.to)
}
