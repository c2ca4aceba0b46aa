import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import fc from 'fast-check'
import type { CopyInput, PreviewLine } from '../../../sync/copy/index.js'
import { type CopyKit, openCopies } from './fixture.js'
import { randomTree } from './random-trees.js'
import { makeTree, readTree, type Tree } from './trees.js'

const RUNS = Number(process.env.COPY_RUNS ?? 15)

describe('a dry run', () => {
  let kit: CopyKit
  let n = 0
  before(async () => {
    kit = await openCopies()
  })
  after(() => kit.clean())

  const rules = fc.record({
    operation: fc.constantFrom('copy' as const, 'move' as const),
    overwrite: fc.constantFrom('skip' as const, 'replace' as const, 'skip-newer' as const),
    verify: fc.boolean(),
    keepTimes: fc.boolean()
  })

  it('says exactly what a copy or a move then does, and changes nothing', () =>
    fc.assert(
      fc.asyncProperty(randomTree, randomTree, fc.boolean(), rules, async (from, to, merge, more) => {
        const at = `${n++}`
        makeTree(kit.at(at, 'from'), from)
        mkdirSync(kit.at(at, 'to'))
        if (merge) makeTree(kit.at(at, 'to/from'), to)
        const before = readTree(kit.at(at))
        const lines: PreviewLine[] = []
        const problems: string[] = []
        const input: CopyInput = {
          ...{ into: false, include: [], exclude: [], prepare: 'auto', keep: true, owner: false, xattrs: false },
          ...{ sources: [kit.at(at, 'from')], destination: kit.at(at, 'to') },
          ...more
        }
        const said = await kit.copies.preview(input, { line: l => lines.push(l), problem: p => problems.push(p.path) })
        assert.deepEqual(readTree(kit.at(at)), before, 'it changed something')

        const did = await kit.copy([`${at}/from`], `${at}/to`, more)
        const [was, is] = [below(before, 'to/'), readTree(kit.at(at, 'to'))]
        const of = (...actions: string[]): string[] =>
          lines
            .filter(l => actions.includes(l.action))
            .map(l => l.path.slice(kit.at(at, 'to').length + 1))
            .sort()
        const came = Object.keys(is).filter(path => was[path] === undefined)
        const whole = of('rename').filter(path => is[path]?.kind === 'folder')
        const within = (path: string): boolean => whole.some(w => path === w || path.startsWith(`${w}/`))
        const folders = came.filter(path => is[path]!.kind === 'folder' && !within(path))
        assert.deepEqual(of('make-folder'), folders.sort(), 'folders')
        const files = came.filter(path => is[path]!.kind !== 'folder' && !within(path))
        assert.deepEqual(
          of('copy', 'link', 'rename').filter(path => !within(path)),
          files.sort(),
          'files'
        )
        const { entries } = await kit.trash.list({ job: did.job })
        const replaced = entries.map(e => e.path.slice(kit.at(at, 'to').length + 1))
        assert.deepEqual(of('replace'), replaced.sort(), 'replaced')
        assert.equal(of('attributes').length, did.attributes, 'attributes')
        assert.deepEqual([said.files, said.same], [did.copied, did.same])
        assert.equal(said.skipped, did.skipped.exists + did.skipped.newer)
        assert.deepEqual(highest(problems), highest(did.problems.map(p => p.path)), 'problems')
      }),
      { numRuns: RUNS }
    ))
})

/** What lies below something that is refused goes with it, named or not. */
const highest = (paths: readonly string[]): string[] =>
  [...new Set(paths)].filter(p => !paths.some(other => p.startsWith(`${other}/`))).sort()

const below = (tree: Tree, prefix: string): Tree =>
  Object.fromEntries(
    Object.entries(tree).flatMap(([path, node]) => (path.startsWith(prefix) ? [[path.slice(prefix.length), node]] : []))
  )
