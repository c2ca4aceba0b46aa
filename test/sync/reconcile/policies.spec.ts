import assert from 'node:assert/strict'
import { type ConflictPolicy, ENDS, type End, type ReconcileOptions } from '../../../sync/reconcile/index.js'
import { Disk, path, World } from './model.js'
import { type Archive, OPTIONS, planOf, rowsNamed, sync, visible } from './session.js'

const COPY = /\.conflict-\d{8}-\d{6}-/

/** Both ends had `f`; each edited it, the destination last; sizes in bytes. */
function edited(options: Partial<ReconcileOptions>, sizes: Record<End, number>, name = 'f.txt') {
  const world = new World()
  const ends = { source: new Disk(world, 'A'), destination: new Disk(world, 'B') }
  ends.source.write(path(name), 'old', 1)
  const { archive } = sync(new Map(), ends, { ...OPTIONS, archive: false })
  for (const end of ENDS) ends[end].write(path(name), end, sizes[end])
  const outcome = sync(archive, ends, { ...OPTIONS, ...options })
  return { ends, archive, outcome, conflicts: rowsNamed(outcome.plan, 'conflict'), tree: ends.source.tree }
}

describe('reconcile: conflict policies', () => {
  for (const [policy, sizes, more, expected] of [
    ['newer', { source: 1, destination: 1 }, {}, 'destination'],
    ['larger', { source: 2, destination: 1 }, {}, 'source'],
    ['larger', { source: 1, destination: 2 }, {}, 'destination'],
    ['source', { source: 1, destination: 1 }, {}, 'source'],
    ['destination', { source: 1, destination: 1 }, {}, 'destination']
  ] as const satisfies readonly (readonly [ConflictPolicy, Record<End, number>, Partial<ReconcileOptions>, End])[]) {
    it(`${policy}, ${sizes.source} and ${sizes.destination} bytes: ${expected} wins, the other goes to versions`, () => {
      const { ends, conflicts, tree } = edited({ policy, ...more }, sizes)
      assert.deepEqual(tree, { 'f.txt': expected })
      assert.deepEqual(ends.destination.tree, tree)
      assert.deepEqual(conflicts, [{ row: 'conflict', path: 'f.txt', resolution: expected }])
      const other: End = expected === 'source' ? 'destination' : 'source'
      assert.ok(ends[other].versions.has(other))
    })
  }
  for (const [why, options, sizes] of [
    ['keep-both', { policy: 'keep-both' }, { source: 1, destination: 1 }],
    ['newer with a clock that is off', { policy: 'newer', clockSkewed: true }, { source: 1, destination: 1 }],
    ['larger with a tie', { policy: 'larger' }, { source: 3, destination: 3 }],
    [
      'newer at the same time',
      { policy: 'newer', source: { ...OPTIONS.source, timeStepNs: 10n ** 15n } },
      { source: 1, destination: 1 }
    ]
  ] as const) {
    it(`${why}: both are kept`, () => {
      const { tree, conflicts } = edited(options, sizes)
      assert.deepEqual(Object.values(tree).sort(), ['destination', 'source'])
      assert.equal(conflicts[0]!.resolution, 'kept-both')
      assert.equal(tree[conflicts[0]!.copy!], conflicts[0]!.copy === undefined ? '' : tree[conflicts[0]!.copy])
      assert.match(conflicts[0]!.copy!, COPY)
    })
  }
  it('prompt: both ends stay as they are, and it is found again until it is answered', () => {
    const { ends, outcome, conflicts } = edited({ policy: 'prompt' }, { source: 1, destination: 1 })
    assert.deepEqual(ends.source.tree, { 'f.txt': 'source' })
    assert.deepEqual(ends.destination.tree, { 'f.txt': 'destination' })
    assert.deepEqual(conflicts, [{ row: 'conflict', path: 'f.txt', resolution: 'waiting' }])
    assert.deepEqual(
      rowsNamed(outcome.plan, 'unsettled').map(r => r.why),
      ['conflict', 'conflict']
    )
    const answered = sync(outcome.archive, ends, { ...OPTIONS, policy: 'source' })
    assert.deepEqual(ends.destination.tree, { 'f.txt': 'source' })
    assert.deepEqual(visible(sync(answered.archive, ends).operations), [])
  })
  it('a conflict copy gets no copy: the newer stays, the other goes to versions', () => {
    const name = 'f.conflict-20231114-221320-anna.txt'
    const { ends, tree } = edited({}, { source: 1, destination: 1 }, name)
    assert.deepEqual(tree, { [name]: 'destination' })
    assert.ok(ends.source.versions.has('source'))
  })
  it('a directory keeps its name against a file, a file against a link', () => {
    for (const [one, other, keeps] of [
      ['directory', 'file', '/'],
      ['file', 'symlink', 'a file']
    ] as const) {
      for (const first of ENDS) {
        const world = new World()
        const ends = { source: new Disk(world, 'A'), destination: new Disk(world, 'B') }
        const second: End = first === 'source' ? 'destination' : 'source'
        if (one === 'directory') ends[first].makeDirectory(path('n'))
        else ends[first].write(path('n'), 'a file')
        ends[second].write(path('n'), 'the other', 9, other)
        sync(new Map(), ends, { ...OPTIONS, archive: false })
        assert.equal(ends.source.tree.n, keeps)
        assert.equal(Object.keys(ends.source.tree).filter(p => COPY.test(p)).length, 1)
        assert.deepEqual(ends.source.tree, ends.destination.tree)
      }
    }
  })
  it('where other content has the name of the copy it becomes -2, where the same has it that is the copy', () => {
    for (const [there, expected] of [
      ['other', 3],
      ['source', 2]
    ] as const) {
      const { conflicts, archive: _, ends } = edited({}, { source: 1, destination: 1 })
      const copy = conflicts[0]!.copy!
      const world = new World()
      const again = { source: new Disk(world, 'A'), destination: new Disk(world, 'B') }
      again.source.write(path('f.txt'), 'old', 1)
      again.source.write(path(copy), there, there === 'source' ? 1 : 5)
      const { archive } = sync(new Map(), again, { ...OPTIONS, archive: false })
      for (const end of ENDS) again[end].write(path('f.txt'), end, 1)
      again.source.change(path('f.txt'), {
        mtimeNs: [...ends.source.items.values()].find(i => i.content === 'source')!.mtimeNs
      })
      sync(archive, again)
      assert.equal(Object.keys(again.source.tree).length, expected, JSON.stringify(again.source.tree))
      if (expected === 3) assert.ok(Object.keys(again.source.tree).some(p => p.endsWith('-2.txt')))
    }
  })
  it('the copy exists before its name is given up', () => {
    const { outcome } = edited({}, { source: 1, destination: 1 })
    const kinds = outcome.operations.map(op => `${op.end} ${op.kind}`)
    assert.ok(kinds.indexOf('source move') < kinds.indexOf('source create'), kinds.join())
    const [move, create] = outcome.operations.filter(op => op.end === 'source')
    assert.equal(move!.group, create!.group)
  })
  it('planning changes nothing', () => {
    const { ends, archive } = edited({ policy: 'prompt' }, { source: 1, destination: 1 })
    const before = JSON.stringify([ends.source.tree, ends.destination.tree, archive.size])
    planOf(archive, ends)
    assert.equal(JSON.stringify([ends.source.tree, ends.destination.tree, archive.size]), before)
  })
})

describe('reconcile: permission bits and times', () => {
  const start = () => {
    const world = new World()
    const ends = { source: new Disk(world, 'A'), destination: new Disk(world, 'B') }
    ends.source.write(path('f'), 'x')
    return { ends, archive: sync(new Map(), ends, { ...OPTIONS, archive: false }).archive }
  }
  const at = (n: number): bigint => BigInt(n) * 10n ** 12n
  for (const [why, source, destination, mode, expected] of [
    ['one end changed them', { mode: 0o600 }, {}, 'bidirectional', [0o600, undefined]],
    ['the other end did', {}, { mode: 0o600, mtimeNs: at(9) }, 'bidirectional', [0o600, at(9)]],
    [
      'both: the newer time, with its mode',
      { mode: 0o600, mtimeNs: at(8) },
      { mode: 0o755, mtimeNs: at(9) },
      'bidirectional',
      [0o755, at(9)]
    ],
    [
      'both at one time: fewer rights',
      { mode: 0o700, mtimeNs: at(9) },
      { mode: 0o755, mtimeNs: at(9) },
      'bidirectional',
      [0o700, at(9)]
    ],
    [
      "one way: the source's",
      { mode: 0o600, mtimeNs: at(8) },
      { mode: 0o755, mtimeNs: at(9) },
      'mirror',
      [0o600, at(8)]
    ],
    ['one way: put back', {}, { mode: 0o600 }, 'replica', [0o644, undefined]]
  ] as const) {
    it(`${why}: no conflict, no data`, () => {
      const { ends, archive } = start()
      ends.source.change(path('f'), source)
      ends.destination.change(path('f'), destination)
      const { operations, plan } = sync(archive, ends, { ...OPTIONS, mode })
      const shown = operations.filter(op => op.kind !== 'version')
      assert.ok(shown.length > 0 && shown.every(op => op.kind === 'attributes'))
      assert.deepEqual(rowsNamed(plan, 'conflict'), [])
      for (const end of mode === 'bidirectional' ? ENDS : (['destination'] as const)) {
        assert.equal(ends[end].items.get(path('f'))!.mode, expected[0])
        if (expected[1] !== undefined) assert.equal(ends[end].items.get(path('f'))!.mtimeNs, expected[1])
      }
    })
  }
  it('who had seen the other setting decides, whatever the archive says; of two made side by side both ways round the same', () => {
    const world = new World()
    const disks = ['A', 'B', 'C'].map(name => new Disk(world, name))
    const [a, b, c] = disks as [Disk, Disk, Disk]
    a.write(path('f'), 'x')
    const archives = new Map<string, Archive>()
    const meet = (source: Disk, destination: Disk): void => {
      const pair = source.replica + destination.replica
      const archive = archives.get(pair)
      const options = { ...OPTIONS, archive: archive !== undefined }
      archives.set(pair, sync(archive ?? new Map(), { source, destination }, options).archive)
    }
    const modes = (): number[] => disks.map(d => d.items.get(path('f'))!.mode)
    const all = (): void => {
      for (const [x, y] of [[a, b], [b, c], [c, a]] as const) meet(x, y) // biome-ignore format: a ring is a line
    }
    all()
    a.change(path('f'), { mode: 0o600 })
    meet(a, b)
    b.change(path('f'), { mode: 0o755 })
    meet(b, c)
    // To the archive of these two both ends changed it.
    meet(c, a)
    assert.deepEqual(modes(), [0o755, 0o755, 0o755])
    a.change(path('f'), { mode: 0o700 })
    b.change(path('f'), { mode: 0o600 })
    all()
    all()
    assert.deepEqual(modes(), [0o600, 0o600, 0o600])
  })
  it('a winner by time is the same whichever end is called source, also where one content has two times', () => {
    for (const swapped of [false, true]) {
      const world = new World()
      const [a, b] = [new Disk(world, 'A'), new Disk(world, 'B')]
      const ends = swapped ? { source: b, destination: a } : { source: a, destination: b }
      a.write(path('c/x/p'), 'one')
      a.makeDirectory(path('b'))
      const { archive } = sync(new Map(), ends, { ...OPTIONS, archive: false })
      a.move(path('c/x'), path('b/x'))
      b.write(path('b/x/p'), 'two')
      b.change(path('c/x/p'), { mtimeNs: at(9) })
      sync(archive, ends)
      assert.deepEqual(a.tree, b.tree)
      assert.equal(a.tree['b/x/p'], 'one')
    }
  })
  it('what an end cannot hold is no change: bits on FAT, times within its step', () => {
    const { ends, archive } = start()
    ends.destination.change(path('f'), { mtimeNs: ends.destination.items.get(path('f'))!.mtimeNs + 10n ** 9n })
    const fat = { ...OPTIONS.destination, modes: false, timeStepNs: 2n * 10n ** 9n }
    ends.source.change(path('f'), { mode: 0o600 })
    assert.deepEqual(visible(sync(archive, ends, { ...OPTIONS, destination: fat }).operations), [])
  })
})
