import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import fc from 'fast-check'
import { type CopyKit, openCopies } from './fixture.js'
import { copied, leftBehind } from './model.js'
import { randomTree } from './random-trees.js'
import { makeTree, readTree, type Tree } from './trees.js'

const RUNS = Number(process.env.COPY_RUNS ?? 25)

describe('copy and move against a plain model, on random trees', () => {
  let plain: CopyKit
  let indexing: CopyKit
  let n = 0
  before(async () => {
    plain = await openCopies()
    indexing = await openCopies({ indexDestination: true })
  })
  after(async () => {
    await plain.clean()
    await indexing.clean()
  })

  const overwrite = fc.constantFrom('skip', 'replace', 'skip-newer')
  const flags = fc.record({ verify: fc.boolean(), keep: fc.boolean(), indexed: fc.boolean() })

  it('a copy leaves what the model says, changes nothing at the source, and a second one does nothing', () =>
    fc.assert(
      fc.asyncProperty(randomTree, randomTree, overwrite, flags, async (from, to, mode, { indexed, ...more }) => {
        const kit = indexed ? indexing : plain
        const [source, target] = place(kit, n++, from, to)
        await kit.copy([source], target, { overwrite: mode, ...more })
        assert.deepEqual(readTree(kit.at(source)), from)
        const result = readTree(kit.at(target, 'from'))
        assert.deepEqual(timeless(result), timeless(copied(from, to, mode, more.verify)))
        const again = await kit.copy([source], target, { overwrite: mode, ...more })
        assert.deepEqual([again.copied, again.directories, again.attributes], [0, 0, 0])
        assert.deepEqual(readTree(kit.at(target, 'from')), result)
      }),
      { numRuns: RUNS }
    ))

  it('a move leaves what the model says at both ends, and no content is lost', () =>
    fc.assert(
      fc.asyncProperty(randomTree, randomTree, overwrite, async (from, to, mode) => {
        const kit = plain
        const [source, target] = place(kit, n++, from, to)
        const { job } = await kit.copy([source], target, { operation: 'move', overwrite: mode })
        const result = copied(from, to, mode, true)
        assert.deepEqual(timeless(readTree(kit.at(target, 'from'))), timeless(result))
        assert.deepEqual(timeless(readTree(kit.at(source))), timeless(leftBehind(from, result)))
        const { entries } = await kit.trash.list({ job })
        const replaced = Object.keys(to).filter(
          p => contentOf(to, p) !== undefined && contentOf(to, p) !== contentOf(result, p)
        )
        assert.deepEqual(entries.map(e => e.path).sort(), replaced.map(p => kit.at(target, 'from', p)).sort())
      }),
      { numRuns: RUNS }
    ))
})

/** The destination exists, and in it what the source is merged with. */
function place(kit: CopyKit, n: number, from: Tree, to: Tree): [source: string, target: string] {
  mkdirSync(kit.at(`${n}/to`), { recursive: true })
  makeTree(kit.at(`${n}/from`), from)
  makeTree(kit.at(`${n}/to/from`), to)
  return [`${n}/from`, `${n}/to`]
}

/** Folders that were there and are not part of the copy change their time with what is put into them. */
function timeless(tree: Tree): Tree {
  return Object.fromEntries(
    Object.entries(tree).map(([p, node]) => [p, node.kind === 'folder' ? { ...node, timeS: 0 } : node])
  )
}

const contentOf = (tree: Tree, path: string): string | undefined => {
  const node = tree[path]
  return node?.kind === 'file' ? `file ${node.content}` : node?.kind === 'link' ? `link ${node.target}` : undefined
}
