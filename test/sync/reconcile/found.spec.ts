import assert from 'node:assert/strict'
import type { ReconcileOptions } from '../../../sync/reconcile/index.js'
import { agreedOn, contentsOf, ensureNothingLost } from './histories.js'
import { Disk, type Ends, path, World } from './model.js'
import { OPTIONS, sync, visible } from './session.js'

/** What is tried of a plan at most: each of its operations fails or not, in every combination. */
const MAX_OPERATIONS = 12

/** Whatever fails of it, nothing is lost, the next run makes both ends equal, and the one after it finds nothing to do. */
function ensureFinished(build: (disk: Disk) => void, byHand: (ends: Ends) => void): void {
  for (let failing = 0, count = 1; failing < count; failing++) {
    const { ends, archive } = agreedOn(build)
    byHand(ends)
    const before = contentsOf(ends)
    const first = sync(archive, ends, OPTIONS, op => ((failing >> op.id) & 1) === 1)
    assert.ok(first.operations.length <= MAX_OPERATIONS, `${first.operations.length} operations`)
    count = 2 ** first.operations.length
    const second = sync(first.archive, ends)
    ensureNothingLost(before, ends)
    assert.deepEqual(ends.source.tree, ends.destination.tree, `failing: ${failing}`)
    assert.deepEqual(visible(sync(second.archive, ends).operations), [], `failing: ${failing}`)
  }
}

/** The smallest cases of what long searches found. */
describe('reconcile: found by search', () => {
  it('a directory that moved to the name of a new one is not taken for moved back while what is left of it lies there', () => {
    ensureFinished(
      disk => disk.write(path('a/x/p'), 'one'),
      ({ source, destination }) => {
        source.write(path('b/x'), 'two')
        destination.move(path('a/x'), path('b'))
        destination.change(path('b'), { mode: 0o700 })
      }
    )
  })
  it('times are not set of a directory by the path that it had', () => {
    const { ends, archive } = agreedOn(disk => {
      disk.makeDirectory(path('a/x'))
      disk.makeDirectory(path('b/x'))
      disk.makeDirectory(path('b/y'))
    })
    ends.source.swap(path('a'), path('b'))
    ends.source.move(path('a/y'), path('a/x/p'))
    ends.destination.remove(path('a/x'))
    ends.destination.write(path('b/x/p'), 'one')
    sync(archive, ends)
    assert.deepEqual(ends.source.tree, ends.destination.tree)
  })
  it('what was agreed on in a directory that is gone, and unknown to the archive, does not lie in it any more', () => {
    const mode = 'replica'
    const { ends, archive } = agreedOn(disk => disk.write(path('a/x/p'), 'one'))
    ends.source.remove(path('a'))
    ends.source.write(path('a'), 'two')
    ends.destination.move(path('a/x/p'), path('a/y'))
    const cut = sync(archive, ends, { ...OPTIONS, mode }, op => op.id > 0)
    assert.ok(!cut.archive.has(path('a/x')) && cut.archive.has(path('a/x/p')))
    sync(cut.archive, ends, { ...OPTIONS, mode })
    assert.deepEqual(ends.source.tree, ends.destination.tree)
  })
  it('a new file does not take the place of another that its end holds as well, whatever their versions', () => {
    for (const edited of [false, true]) {
      const { ends, archive } = agreedOn(disk => disk.write(path('b/y'), 'old'))
      const { source, destination } = ends
      source.write(path('a/y'), 'new')
      if (edited) source.write(path('b/y'), 'edited')
      destination.move(path('b'), path('a'))
      const { archive: after } = sync(archive, ends)
      assert.deepEqual([...source.contents].sort(), [edited ? 'edited' : 'old', 'new'].sort())
      assert.deepEqual(source.tree, destination.tree)
      assert.deepEqual(visible(sync(after, ends).operations), [])
    }
  })
  it('a directory that was made where its own place cannot be had is not made again each time', () => {
    const { ends, archive } = agreedOn(disk => {
      disk.write(path('a/p'), 'one')
      disk.makeDirectory(path('b'))
      disk.write(path('c/y'), 'two')
    })
    const { source, destination } = ends
    source.move(path('c'), path('b/y'))
    source.veiled.add(source.items.get(path('a'))!.inode)
    destination.swap(path('a'), path('b'))
    destination.remove(path('c'))
    const options: ReconcileOptions = { ...OPTIONS, mode: 'mirror' }
    const { archive: after } = sync(archive, ends, options)
    assert.equal(destination.tree['a/y/y'], 'two')
    assert.deepEqual(visible(sync(after, ends, options).operations), [])
  })
  it('a conflict copy that a cut session made is a copy and not what was agreed on: both edits stay at the ends', () => {
    for (let cutAt = 0, count = 1; cutAt < count; cutAt++) {
      const { ends, archive } = agreedOn(disk => {
        disk.write(path('a/y'), 'old')
        disk.write(path('b/x/p'), 'other')
      })
      ends.source.write(path('a/y'), 'one')
      ends.source.swap(path('a'), path('b'))
      ends.destination.write(path('a/x/p'), 'new')
      ends.destination.save(path('a/y'), 'two')
      count = sync(archive, ends, OPTIONS, op => op.id > cutAt).operations.length
      sync(archive, ends)
      assert.deepEqual(ends.source.tree, ends.destination.tree, `cut at ${cutAt}`)
      for (const edit of ['one', 'two', 'new']) assert.ok(ends.source.contents.has(edit), `cut at ${cutAt}: ${edit}`)
    }
  })
  it('what was deleted under another name leaves no deletion that has seen the new thing of this name', () => {
    for (let cutAt = 0, count = 1; cutAt < count; cutAt++) {
      const { ends, archive } = agreedOn(disk => {
        disk.write(path('a'), 'a file')
        disk.write(path('c/x/p'), 'agreed')
      })
      ends.source.remove(path('a'))
      ends.source.write(path('a/x/p'), 'new')
      ends.source.remove(path('c'))
      ends.destination.swap(path('a'), path('c'))
      count = sync(archive, ends, OPTIONS, op => op.id > cutAt).operations.length
      sync(archive, ends)
      assert.deepEqual(ends.source.tree, ends.destination.tree, `cut at ${cutAt}`)
      assert.ok(ends.source.contents.has('new'), `cut at ${cutAt}`)
    }
  })
  it('one conflict that two pairs of three devices meet has one copy, which keeps its name', () => {
    const world = new World()
    const [a, b, c] = ['A', 'B', 'C'].map(name => new Disk(world, name)) as [Disk, Disk, Disk]
    a.write(path('x'), 'first')
    const pairs = [
      [a, b],
      [b, c],
      [a, c]
    ].map(([source, destination]) => ({ ends: { source: source!, destination: destination! }, archive: new Map() }))
    const run = (pair: (typeof pairs)[number], archive = true): readonly string[] => {
      const { archive: after, operations } = sync(pair.archive, pair.ends, { ...OPTIONS, archive })
      pair.archive = after as never
      return visible(operations)
    }
    for (const pair of pairs) run(pair, false)
    a.write(path('x'), 'of a')
    run(pairs[0]!)
    c.write(path('x'), 'of c')
    for (const pair of pairs) run(pair)
    assert.deepEqual(
      pairs.flatMap(pair => run(pair)),
      []
    )
    for (const disk of [b, c]) assert.deepEqual(disk.tree, a.tree)
    const [, copy] = Object.keys(a.tree)
    assert.match(copy!, /^x\.conflict-\d{8}-\d{6}-anna$/)
  })
  it('what both ends made under one name in a directory that each moved elsewhere stays where each made it', () => {
    const build = (): ReturnType<typeof agreedOn> => {
      const start = agreedOn(disk => disk.write(path('a/y'), 'agreed', 5000))
      const { source, destination } = start.ends
      source.write(path('a/x'), 'one')
      source.makeDirectory(path('b'))
      source.move(path('a/x'), path('b/x'))
      source.move(path('a/y'), path('b/y'))
      source.remove(path('a'))
      destination.write(path('b/x'), 'other')
      destination.write(path('a/x'), 'two')
      destination.swap(path('a'), path('b/x'))
      return start
    }
    const [one, other] = [build(), build()]
    const plan = sync(one.archive, one.ends)
    assert.deepEqual(one.ends.source.tree, one.ends.destination.tree)
    assert.equal(one.ends.source.tree['b/x/x'], 'two')
    assert.ok(one.ends.source.contents.has('one'))
    assert.deepEqual(visible(sync(plan.archive, one.ends).operations), [])
    const swapped = [...other.archive].map(
      ([p, e]) => [p, { ...e, source: e.destination, destination: e.source }] as const
    )
    sync(new Map(swapped), { source: other.ends.destination, destination: other.ends.source })
    assert.equal(other.ends.source.tree['b/x/x'], 'two')
    assert.ok(other.ends.source.contents.has('one'))
  })
  it('a directory below one that cannot be read is not gone, though all it held was moved to a new one', () => {
    const { ends, archive } = agreedOn(disk => disk.write(path('top/a/x/p'), 'one', 5000))
    const { source, destination } = ends
    source.makeDirectory(path('c'))
    source.move(path('top/a/x/p'), path('c/x'))
    source.move(path('top'), path('elsewhere'))
    source.veiled.add(source.items.get(path('elsewhere/a'))!.inode)
    const after = sync(archive, ends)
    assert.equal(destination.tree['elsewhere/a/x'], '/')
    assert.equal(destination.tree['c/x'], 'one')
    assert.deepEqual(visible(sync(after.archive, ends).operations), [])
  })
  it('a folder whose name another has taken, and that stays for what is ignored in it, stays where it lies', () => {
    const { ends, archive } = agreedOn(disk => {
      disk.write(path('a/x/p'), 'ignored from now on')
      disk.write(path('d/x'), 'one')
    })
    const { source, destination } = ends
    for (const end of [source, destination]) end.ignores = p => p.endsWith('/p')
    source.remove(path('d'))
    source.remove(path('a/x'))
    source.move(path('a'), path('d'))
    source.write(path('a'), 'a file')
    const options: ReconcileOptions = { ...OPTIONS, mode: 'replica', ignores: source.ignores }
    const { archive: after } = sync(archive, ends, options)
    assert.deepEqual([...destination.contents].sort(), ['ignored from now on', 'one'])
    assert.ok(destination.items.has(path('a/x/p')))
    assert.deepEqual(visible(sync(after, ends, options).operations), [])
  })
  it('folders that were made in one that a place is waited for in are not made again each time', () => {
    const { ends, archive } = agreedOn(disk => {
      disk.makeDirectory(path('a/x/p'))
      disk.write(path('b/x/p'), 'one')
    })
    const { source, destination } = ends
    for (const end of [source, destination]) end.ignores = p => p === 'a/x'
    source.remove(path('b/x/p'))
    source.move(path('a/x'), path('b/x/p'))
    source.makeDirectory(path('a/x'))
    destination.remove(path('a'))
    destination.move(path('b/x'), path('a'))
    destination.veiled.add(destination.items.get(path('b'))!.inode)
    const options: ReconcileOptions = { ...OPTIONS, mode: 'mirror', ignores: source.ignores }
    const { archive: after } = sync(archive, ends, options)
    assert.equal(destination.tree['a/p/p'], '/')
    assert.deepEqual(visible(sync(after, ends, options).operations), [])
  })
})
