import fc from 'fast-check'
import { file, folder, link, type Node, type Tree } from './trees.js'

/** Few names, contents and times, so that two trees meet often and in every way. */
const name = fc.constantFrom('a', 'b', 'c', 'ä', '-x')
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map(names => names.join('/'))
const time = fc.constantFrom(1_000, 2_000, 3_000)
const node: fc.Arbitrary<Node> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom('', 'x', 'y', 'zz'), fc.constantFrom(0o644, 0o600, 0o755), time)
      .map(([c, m, t]) => file(c, m, t))
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('a', '../out'), time).map(([to, t]) => link(to, t)) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(0o755, 0o700), time).map(([m, t]) => folder(m, t)) }
)

/** With a folder for each name above another; what lies below a file or link is left out. */
export const randomTree: fc.Arbitrary<Tree> = fc.array(fc.tuple(path, node), { maxLength: 8 }).map(list => {
  const tree: Tree = {}
  for (const [at, what] of list.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const names = at.split('/')
    const above = names.slice(0, -1).map((_, i) => names.slice(0, i + 1).join('/'))
    if (above.some(p => tree[p] !== undefined && tree[p].kind !== 'folder')) continue
    for (const p of above) tree[p] ??= folder(0o755, 1_500)
    if (tree[at] === undefined) tree[at] = what
  }
  return tree
})
