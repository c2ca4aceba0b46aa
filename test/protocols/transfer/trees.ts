/** Random trees on a real disk: odd names, empty files and folders, links, mixed sizes; and what stands there, to compare. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import fc from 'fast-check'
import { fsPath, textFromBytes } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'

export type Node =
  | { kind: 'file'; size: number; fill: number; mode: number }
  | { kind: 'symlink'; target: string }
  | { kind: 'directory'; mode: number; children: [name: string, node: Node][] }

const oddBytes = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map(b => textFromBytes(b.map(c => (c === 0 || c === 0x2f ? 0x61 : c))))
const name = fc
  .oneof(
    { weight: 4, arbitrary: fc.stringMatching(/^[a-z0-9 .'"\\:*?-]{1,20}$/) },
    { weight: 1, arbitrary: fc.constantFrom('ä', 'ä', 'A', 'a', '日本', '😀', 'con', '.hidden', 'x'.repeat(255)) },
    { weight: 1, arbitrary: oddBytes }
  )
  .filter(n => n !== '.' && n !== '..')
const file = (maxBytes: number): fc.Arbitrary<Node> =>
  fc.record({
    kind: fc.constant('file' as const),
    size: fc.oneof(
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 6, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: maxBytes }) }
    ),
    fill: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    mode: fc.constantFrom(0o644, 0o600, 0o755, 0o400, 0o666)
  })
const link: fc.Arbitrary<Node> = fc.record({
  kind: fc.constant('symlink' as const),
  target: fc.oneof(name, fc.constantFrom('..', '../x/y', '/nowhere/at all', 'a/b'))
})
const children = (node: fc.Arbitrary<Node>): fc.Arbitrary<[string, Node][]> =>
  fc.uniqueArray(fc.tuple(name, node), { selector: ([n]) => n, maxLength: 6 })

/** A directory with whatever may lie in one. */
export function treeOf(maxBytes: number): fc.Arbitrary<Node> {
  return fc.letrec<{ node: Node; directory: Node }>(tie => ({
    node: fc.oneof({ maxDepth: 4, withCrossShrink: true }, file(maxBytes), link, tie('directory')),
    directory: fc.record({
      kind: fc.constant('directory' as const),
      mode: fc.constantFrom(0o755, 0o700, 0o555, 0o500),
      children: children(tie('node'))
    })
  })).directory
}

/** Content that depends on `fill` alone; every third is sparse or repeats itself. */
export function content(size: number, fill: number): Buffer {
  const bytes = Buffer.alloc(size)
  if (fill % 3 === 0) {
    if (size > 0) bytes[size - 1] = 1 + (fill % 250)
    return bytes
  }
  let x = fill | 1
  for (let at = 0; at < size; at++) {
    x = (Math.imul(x, 1103515245) + 12345) | 0
    bytes[at] = x >>> 16
  }
  return bytes
}

export function plant(path: string, node: Node): void {
  if (node.kind === 'file') {
    writeFileSync(fsPath(path), content(node.size, node.fill))
    chmodSync(fsPath(path), node.mode)
  } else if (node.kind === 'symlink') symlinkSync(fsPath(node.target), fsPath(path))
  else {
    mkdirSync(fsPath(path))
    for (const [child, what] of node.children) plant(`${path}/${child}`, what)
    chmodSync(fsPath(path), node.mode)
  }
}

export interface Seen {
  kind: 'file' | 'directory' | 'symlink' | 'other'
  mode: number
  mtimeNs: bigint
  size: number
  content: string
}

/** Everything below a path, by relative path: what a faithful copy has in common with its original. */
export function look(path: string, rel = '', into = new Map<string, Seen>()): Map<string, Seen> {
  const stat = lstatSync(fsPath(path), { bigint: true })
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'other'
  into.set(rel, {
    kind,
    mode: kind === 'symlink' ? 0 : Number(stat.mode) & 0o7777,
    mtimeNs: stat.mtimeNs,
    size: kind === 'file' ? Number(stat.size) : 0,
    content:
      kind === 'file'
        ? hashBytes(readFileSync(fsPath(path)))
        : kind === 'symlink'
          ? readlinkSync(fsPath(path), 'buffer').toString('hex')
          : ''
  })
  if (kind === 'directory') {
    for (const bytes of readdirSync(fsPath(path), 'buffer')) {
      const child = textFromBytes(bytes)
      look(`${path}/${child}`, rel === '' ? child : `${rel}/${child}`, into)
    }
  }
  return into
}
