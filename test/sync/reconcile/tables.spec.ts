import assert from 'node:assert/strict'
import { ENDS, type End, MODES, type Mode, otherEnd, type ReconcileOptions } from '../../../sync/reconcile/index.js'
import { Disk, path, World } from './model.js'
import { type Archive, OPTIONS, sync, visible } from './session.js'

/** `f=1 d/ d/x=2`: names, contents, directories. `?` is something unknown, `f!anna` a conflict copy of what Anna made. */
type Tree = string
type Hand = (disk: Disk) => void
/** What the destination holds afterwards, and, both ways, what both hold. */
type Cell = readonly [replica: Tree, mirror: Tree, backup: Tree, bidirectional: Tree]

const same: Hand = () => {}
const all =
  (...hands: Hand[]): Hand =>
  d => {
    for (const hand of hands) hand(d)
  }
const write =
  (p: string, content: string): Hand =>
  d =>
    d.write(path(p), content, 10)
const save =
  (p: string, content: string): Hand =>
  d =>
    d.save(path(p), content, 10)
const make =
  (p: string): Hand =>
  d =>
    d.makeDirectory(path(p))
const remove =
  (p: string): Hand =>
  d =>
    d.remove(path(p))
const move =
  (from: string, to: string): Hand =>
  d =>
    d.move(path(from), path(to))
const swap =
  (a: string, b: string): Hand =>
  d =>
    d.swap(path(a), path(b))
const link =
  (p: string, target: string): Hand =>
  d =>
    d.write(path(p), target, 4, 'symlink')
const socket =
  (p: string): Hand =>
  d =>
    d.makeUnknown(path(p), 'special')

/** since the last agreement | before | at the source | at the destination | replica, mirror, backup, both ways */
// biome-ignore format: a row of the table is a line
const FIRST: readonly (readonly [string, Tree, Hand, Hand, Cell])[] = [
  ['source created, destination same', '', write('f', '1'), same, ['f=1', 'f=1', 'f=1', 'f=1']],
  ['source edited, destination same', 'f=1', write('f', '2'), same, ['f=2', 'f=2', 'f=2', 'f=2']],
  ['source saved anew, destination same', 'f=1', save('f', '2'), same, ['f=2', 'f=2', 'f=2', 'f=2']],
  ['source deleted, destination same', 'f=1 g=1', remove('f'), same, ['f=1 g=1', 'g=1', 'g=1', 'g=1']],
  ['destination created', 'g=1', same, write('f', '1'), ['f=1 g=1', 'g=1', 'f=1 g=1', 'f=1 g=1']],
  ['destination edited, source same', 'f=1', same, write('f', '2'), ['f=1', 'f=1', 'f=1', 'f=2']],
  ['destination deleted, source same', 'f=1', same, remove('f'), ['f=1', 'f=1', 'f=1', '']],
  ['both created, different content', '', write('f', 's'), write('f', 't'), ['f=s', 'f=s', 'f=s', 'f=t f!anna=s']],
  ['both edited, different content', 'f=1', write('f', 's'), write('f', 't'), ['f=s', 'f=s', 'f=s', 'f=t f!anna=s']],
  ['both created the same', '', write('f', '1'), write('f', '1'), ['f=1', 'f=1', 'f=1', 'f=1']],
  ['both edited the same', 'f=1', write('f', '2'), save('f', '2'), ['f=2', 'f=2', 'f=2', 'f=2']],
  ['both deleted', 'f=1', remove('f'), remove('f'), ['', '', '', '']],
  ['source edited, destination deleted', 'f=1', write('f', '2'), remove('f'), ['f=2', 'f=2', 'f=2', 'f=2']],
  ['source deleted, destination edited', 'f=1', remove('f'), write('f', '2'), ['f=2', '', '', 'f=2']],
  ['source deleted a directory, destination added inside', 'd/x=1', remove('d'), write('d/n', '2'), ['d/ d/n=2 d/x=1', '', 'd/ d/n=2', 'd/ d/n=2']],
  ['destination deleted a directory, source added inside', 'd/x=1', write('d/n', '2'), remove('d'), ['d/ d/n=2 d/x=1', 'd/ d/n=2 d/x=1', 'd/ d/n=2 d/x=1', 'd/ d/n=2']],
  ['source deleted a directory that holds unknown things there', 'd/x=1', remove('d'), socket('d/s'), ['d/ d/s=? d/x=1', 'd/ d/s=?', 'd/ d/s=?', 'd/ d/s=?']],
  ['destination deleted a directory that holds unknown things at the source', 'd/x=1', socket('d/s'), remove('d'), ['d/ d/x=1', 'd/ d/x=1', 'd/ d/x=1', 'd/ d/s=?']],
  ['both deleted a directory that holds unknown things at one end', 'd/x=1', remove('d'), all(socket('d/s'), remove('d/x')), ['d/ d/s=?', 'd/ d/s=?', 'd/ d/s=?', 'd/ d/s=?']],
  ['kind changed from file to directory, other side same', 'f=1', all(remove('f'), write('f/x', '2')), same, ['f/ f/x=2', 'f/ f/x=2', 'f/ f/x=2', 'f/ f/x=2']],
  ['kind changed from directory to file, other side same', 'f/x=1', all(remove('f'), write('f', '2')), same, ['f=2', 'f=2', 'f=2', 'f=2']],
  ['kind changed from file to link, other side same', 'f=1', all(remove('f'), link('f', 'x')), same, ['f=->x', 'f=->x', 'f=->x', 'f=->x']],
  ['kind changed at the destination, source same', 'f=1', same, all(remove('f'), make('f')), ['f=1', 'f=1', 'f=1', 'f/']],
  ['kind changed from file to directory, other side edited it', 'f=1', all(remove('f'), write('f/x', '2')), write('f', 't'), ['f/ f/x=2', 'f/ f/x=2', 'f/ f/x=2', 'f!bert=t f/ f/x=2']],
  ['kind changed from directory to file, other side added inside', 'f/x=1', all(remove('f'), write('f', '2')), write('f/n', 't'), ['f=2', 'f=2', 'f=2', 'f!anna=2 f/ f/n=t']],
  ['kind changed to file and to link', 'f/x=1', all(remove('f'), write('f', '2')), all(remove('f'), link('f', 'x')), ['f=2', 'f=2', 'f=2', 'f!bert=->x f=2']]
]

// biome-ignore format: a row of the table is a line
const SECOND: readonly (readonly [string, Tree, Hand, Hand, Cell])[] = [
  ['source moved, destination same', 'f=1', move('f', 'g'), same, ['g=1', 'g=1', 'g=1', 'g=1']],
  ['source moved into a new directory', 'f=1', all(make('d'), move('f', 'd/g')), same, ['d/ d/g=1', 'd/ d/g=1', 'd/ d/g=1', 'd/ d/g=1']],
  ['source moved and edited, destination same', 'f=1', all(move('f', 'g'), write('g', '2')), same, ['g=2', 'g=2', 'g=2', 'g=2']],
  ['source moved, destination edited it', 'f=1', move('f', 'g'), write('f', '2'), ['g=1', 'g=1', 'g=1', 'g=2']],
  ['source moved, destination deleted it', 'f=1', move('f', 'g'), remove('f'), ['g=1', 'g=1', 'g=1', 'g=1']],
  ['destination moved, source same', 'f=1', same, move('f', 'g'), ['f=1 g=1', 'f=1', 'f=1 g=1', 'g=1']],
  ['both moved, same name', 'f=1', move('f', 'g'), move('f', 'g'), ['g=1', 'g=1', 'g=1', 'g=1']],
  ['both moved, other names', 'f=1', move('f', 'g'), move('f', 'h'), ['g=1 h=1', 'g=1', 'g=1 h=1', 'g=1 h=1']],
  ['moved onto a name the other side made', 'f=1', move('f', 'g'), write('g', 't'), ['g=1', 'g=1', 'g=1', 'g=t g!anna=1']],
  ['moved onto a name the other side edited', 'f=1 g=2', all(remove('g'), move('f', 'g')), write('g', 't'), ['g=1', 'g=1', 'g=1', 'g=t g!anna=1']],
  ['source moved a directory, destination added inside', 'd/x=1', move('d', 'e'), write('d/n', 't'), ['d/ d/n=t e/ e/x=1', 'e/ e/x=1', 'd/ d/n=t e/ e/x=1', 'e/ e/n=t e/x=1']],
  ['destination moved a directory, source added inside', 'd/x=1', write('d/n', 's'), move('d', 'e'), ['d/ d/n=s d/x=1 e/ e/x=1', 'd/ d/n=s d/x=1', 'd/ d/n=s d/x=1 e/ e/x=1', 'e/ e/n=s e/x=1']],
  ['moved into a directory the other side deleted', 'd/x=1 f=2', move('f', 'd/f'), remove('d'), ['d/ d/f=2 d/x=1', 'd/ d/f=2 d/x=1', 'd/ d/f=2 d/x=1', 'd/ d/f=2']],
  ['destination moved into a directory the source deleted', 'd/x=1 f=2', remove('d'), move('f', 'd/f'), ['d/ d/f=2 d/x=1 f=2', 'f=2', 'd/ d/f=2 f=2', 'd/ d/f=2']],
  ['source swapped two names', 'f=1 g=2', swap('f', 'g'), same, ['f=2 g=1', 'f=2 g=1', 'f=2 g=1', 'f=2 g=1']],
  ['source swapped two directories', 'd/x=1 e/y=2', swap('d', 'e'), same, ['d/ d/y=2 e/ e/x=1', 'd/ d/y=2 e/ e/x=1', 'd/ d/y=2 e/ e/x=1', 'd/ d/y=2 e/ e/x=1']],
  ['source turned three names round', 'f=1 g=2 h=3', all(swap('f', 'g'), swap('g', 'h')), same, ['f=2 g=3 h=1', 'f=2 g=3 h=1', 'f=2 g=3 h=1', 'f=2 g=3 h=1']],
  ['source made a chain of names', 'f=1 g=2 h=3', all(move('h', 'i'), move('g', 'h'), move('f', 'g')), same, ['g=1 h=2 i=3', 'g=1 h=2 i=3', 'g=1 h=2 i=3', 'g=1 h=2 i=3']],
  ['source put the outer directory into the inner one', 'd/e/x=1', all(move('d/e', 'e'), move('d', 'e/d')), same, ['e/ e/d/ e/x=1', 'e/ e/d/ e/x=1', 'e/ e/d/ e/x=1', 'e/ e/d/ e/x=1']],
  ['both moved a directory, other names', 'd/x=1', move('d', 'e'), move('d', 'f'), ['e/ e/x=1 f/ f/x=1', 'e/ e/x=1', 'e/ e/x=1 f/ f/x=1', 'e/ e/x=1 f/ f/x=1']],
  ['all a directory held moved to a new one', 'd/x=1', all(make('e'), move('d/x', 'e/x'), remove('d')), write('d/n', 't'), ['d/ d/n=t e/ e/x=1', 'e/ e/x=1', 'd/ d/n=t e/ e/x=1', 'e/ e/n=t e/x=1']],
  ['unknown things in a moved directory go along', 'd/x=1', move('d', 'e'), socket('d/s'), ['e/ e/s=? e/x=1', 'e/ e/s=? e/x=1', 'e/ e/s=? e/x=1', 'e/ e/s=? e/x=1']]
]

/** Without an archive: the first run, or it was lost. */
// biome-ignore format: a row of the table is a line
const NO_ARCHIVE: readonly (readonly [string, Tree, Hand, Hand, Cell])[] = [
  ['only at the source', '', write('f', '1'), same, ['f=1', 'f=1', 'f=1', 'f=1']],
  ['only at the destination', '', write('g', 's'), write('f', '1'), ['f=1 g=s', 'g=s', 'f=1 g=s', 'f=1 g=s']],
  ['only at the destination, and the source is empty', '', same, write('f', '1'), ['f=1', 'f=1', 'f=1', 'f=1']],
  ['the same at both', '', write('f', '1'), write('f', '1'), ['f=1', 'f=1', 'f=1', 'f=1']],
  ['other content at both', '', write('f', 's'), write('f', 't'), ['f=s', 'f=s', 'f=s', 'f=t f!anna=s']],
  ['a directory at both', '', write('d/x', 's'), write('d/y', 't'), ['d/ d/x=s d/y=t', 'd/ d/x=s', 'd/ d/x=s d/y=t', 'd/ d/x=s d/y=t']],
  ['a directory here and a file there', '', write('f/x', 's'), write('f', 't'), ['f/ f/x=s', 'f/ f/x=s', 'f/ f/x=s', 'f!bert=t f/ f/x=s']],
  ['a file here and a directory there', '', write('f', 's'), write('f/x', 't'), ['f=s', 'f=s', 'f=s', 'f!anna=s f/ f/x=t']],
  ['something unknown at the destination alone', '', write('f', '1'), socket('s'), ['f=1 s=?', 'f=1 s=?', 'f=1 s=?', 'f=1 s=?']],
  ['deleted at the source before the archive was lost', 'f=1 g=1', remove('f'), same, ['f=1 g=1', 'g=1', 'f=1 g=1', 'f=1 g=1']],
  ['deleted at the destination before the archive was lost', 'f=1', same, remove('f'), ['f=1', 'f=1', 'f=1', 'f=1']],
  ['moved at the source before the archive was lost', 'f=1', move('f', 'g'), same, ['f=1 g=1', 'g=1', 'f=1 g=1', 'f=1 g=1']]
]

const COPY = /\.conflict-\d{8}-\d{6}-(\w+)/

function build(tree: Tree, disk: Disk): void {
  for (const item of tree.split(' ').filter(Boolean)) {
    const [p, content] = item.split('=')
    if (content === undefined) disk.makeDirectory(path(p!.slice(0, -1)))
    else disk.write(path(p!), content, 10)
  }
}

const show = (disk: Disk): Tree =>
  Object.entries(disk.tree)
    .map(([p, content]) => (content === '/' ? `${p}/` : `${p.replace(COPY, '!$1')}=${content}`))
    .sort()
    .join(' ')

interface Ran {
  readonly source: Tree
  readonly destination: Tree
  readonly sourceBefore: Tree
  readonly again: readonly string[]
  readonly bytes: number
}

/** @param round - `swapped`: what is done at the source is done at the destination, and the other way about */
function run(
  mode: Mode,
  before: Tree,
  source: Hand,
  destination: Hand,
  archive: boolean,
  round: 'as is' | 'swapped'
): Ran {
  const world = new World()
  const ends = { source: new Disk(world, 'A'), destination: new Disk(world, 'B') }
  build(before, ends.source)
  const options: ReconcileOptions = { ...OPTIONS, mode }
  let agreed: Archive = sync(new Map(), ends, { ...options, archive: false }).archive
  const hands: Record<End, Hand> =
    round === 'as is' ? { source, destination } : { source: destination, destination: source }
  const order: readonly End[] = round === 'as is' ? ENDS : ['destination', 'source']
  for (const end of order) hands[end](ends[end])
  if (!archive) agreed = new Map()
  const sourceBefore = show(ends.source)
  const first = sync(agreed, ends, { ...options, archive, sourceEmpty: ends.source.items.size === 0 })
  const bytes = first.operations.reduce(
    (n, op) => n + ('content' in op && op.content.kind === 'file' ? op.content.sizeBytes : 0),
    0
  )
  const empty = ends.source.items.size === 0
  const second = sync(first.archive, ends, { ...options, archive: first.archive.size > 0, sourceEmpty: empty })
  return {
    source: show(ends.source),
    destination: show(ends.destination),
    sourceBefore,
    again: visible(second.operations),
    bytes
  }
}

const swapNames = (tree: Tree): Tree =>
  tree
    .split(' ')
    .map(item => item.replace(/!(\w+)/, (_, name: string) => `!${name === 'anna' ? 'bert' : 'anna'}`))
    .sort()
    .join(' ')
const sorted = (tree: Tree): Tree => tree.split(' ').sort().join(' ')

for (const [title, rows, archive] of [
  ['the first table', FIRST, true],
  ['the table of moves', SECOND, true],
  ['without an archive', NO_ARCHIVE, false]
] as const) {
  describe(`reconcile: ${title}`, () => {
    for (const [since, before, source, destination, cell] of rows) {
      for (const [i, mode] of MODES.entries()) {
        it(`${since} | ${mode}: ${cell[i] || '(nothing)'}`, () => {
          const ran = run(mode, before, source, destination, archive, 'as is')
          assert.equal(mode === 'bidirectional' ? withUnknown(ran) : ran.destination, sorted(cell[i]!))
          if (mode !== 'bidirectional') assert.equal(ran.source, ran.sourceBefore, 'the source is never written')
          assert.deepEqual(ran.again, [], 'a second run does nothing')
        })
      }
      it(`${since} | both ways, the other way round`, () => {
        const ran = run('bidirectional', before, source, destination, archive, 'swapped')
        assert.equal(withUnknown(ran), swapNames(sorted(cell[3])))
        assert.deepEqual(ran.again, [])
      })
    }
  })
}

/** Both ends hold the same, but for what is unknown and the directories that stay for it: these are at one end alone. */
function withUnknown({ source, destination }: Ran): Tree {
  const [a, b] = [source, destination].map(t => t.split(' ').filter(Boolean)) as [string[], string[]]
  const unknown = [...a, ...b].filter(item => item.endsWith('=?')).map(item => item.slice(0, -2))
  const stays = (item: string): boolean =>
    item.endsWith('=?') || (item.endsWith('/') && unknown.some(u => u.startsWith(item)))
  assert.deepEqual(
    a.filter(i => !stays(i)),
    b.filter(i => !stays(i))
  )
  return [...new Set([...a, ...b])].sort().join(' ')
}

describe('reconcile: what a move costs', () => {
  for (const end of ENDS) {
    for (const [what, before, hand] of [
      ['a file', 'f=1', move('f', 'g')],
      ['a swap', 'f=1 g=2', swap('f', 'g')],
      ['a directory', 'd/x=1 d/y=2', move('d', 'e')],
      ['a directory into a new one', 'd/x=1', all(make('n'), move('d', 'n/d'))]
    ] as const) {
      it(`${what}, at the ${end}: names, no data`, () => {
        const hands = { [end]: hand, [otherEnd(end)]: same } as Record<End, Hand>
        assert.equal(run('bidirectional', before, hands.source, hands.destination, true, 'as is').bytes, 0)
      })
    }
  }
})
