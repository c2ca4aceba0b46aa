import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import fc from 'fast-check'
import { copied, leftBehind } from './model.js'
import { randomTree } from './random-trees.js'
import { far, near, openRemote, type RemoteKit } from './remote-fixture.js'
import { makeTree, readTree, type Tree } from './trees.js'

const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 25)

describe('copy and move between devices against a plain model, on random trees, over a line that is cut', () => {
  let remote: RemoteKit
  let n = 0
  before(async () => {
    remote = await openRemote()
  })
  after(() => remote.clean())

  const overwrite = fc.constantFrom('skip', 'replace', 'skip-newer')
  const cuts = fc.array(fc.record({ calls: fc.nat({ max: 14 }), carriedOut: fc.boolean() }), { maxLength: 4 })
  const flags = fc.record({ verify: fc.boolean(), over: fc.boolean() })

  it('a copy leaves what the model says, changes nothing at the source, and a second one does nothing', () =>
    fc.assert(
      fc.asyncProperty(
        randomTree,
        randomTree,
        overwrite,
        flags,
        cuts,
        async (from, to, mode, { verify, over }, some) => {
          const { source, target, input } = place(from, to, over)
          remote.cut(...some)
          const first = await remote.copy({ ...input, overwrite: mode, verify })
          assert.deepEqual(readTree(source), from)
          const result = readTree(target)
          assert.deepEqual(timeless(result), timeless(copied(from, to, mode, verify)))
          await ensureKept(first.job, to, result, target)
          remote.cut()
          const again = await remote.copy({ ...input, overwrite: mode, verify })
          assert.deepEqual([again.copied, again.directories, again.attributes], [0, 0, 0])
          assert.deepEqual(readTree(target), result)
          clear()
        }
      ),
      { numRuns: RUNS }
    ))

  it('a move leaves what the model says at both ends, and no content is lost', () =>
    fc.assert(
      fc.asyncProperty(randomTree, randomTree, overwrite, fc.boolean(), cuts, async (from, to, mode, over, some) => {
        const { source, target, input } = place(from, to, over)
        remote.cut(...some)
        const { job } = await remote.copy({ ...input, overwrite: mode, operation: 'move' })
        const result = copied(from, to, mode, true)
        assert.deepEqual(timeless(readTree(target)), timeless(result))
        assert.deepEqual(timeless(readTree(source)), timeless(leftBehind(from, result)))
        await ensureKept(job, to, result, target)
        clear()
      }),
      { numRuns: RUNS }
    ))

  /** The destination exists, and in it what the source is merged with. @param over - from here to there */
  function place(from: Tree, to: Tree, over: boolean) {
    const { kit } = remote
    const [source, folder] = [kit.at(`${n}/from`), kit.at(`${n++}/to`)]
    mkdirSync(folder, { recursive: true })
    makeTree(source, from)
    makeTree(`${folder}/from`, to)
    const [here, there] = over ? [near, far] : [far, near]
    return { source, target: `${folder}/from`, input: { sources: [here(source)], destination: there(folder) } }
  }

  /** What was replaced is in the trash, once. */
  async function ensureKept(job: string, to: Tree, result: Tree, target: string): Promise<void> {
    const { entries } = await remote.kit.trash.list({ job: job as never })
    const replaced = Object.keys(to).filter(
      p => contentOf(to, p) !== undefined && contentOf(to, p) !== contentOf(result, p)
    )
    assert.deepEqual(entries.map(e => e.path).sort(), replaced.map(p => `${target}/${p}`).sort())
  }

  const clear = (): void => rmSync(remote.kit.at(`${n - 1}`), { recursive: true })
})

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
