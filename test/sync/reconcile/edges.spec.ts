import assert from 'node:assert/strict'
import { MIN_PAIRED_BYTES } from '../../../sync/reconcile/gather.js'
import { MAX_CHAIN } from '../../../sync/reconcile/group.js'
import {
  ENDS,
  MODES,
  type Operation,
  otherEnd,
  PLAIN_END,
  type ReconcileOptions,
  raiseVersion
} from '../../../sync/reconcile/index.js'
import { agreedOn as start } from './histories.js'
import { type Disk, path } from './model.js'
import { OPTIONS, rowsNamed, sync, visible } from './session.js'

const groupsOf = (operations: readonly Operation[]): number[] => {
  const sizes = new Map<number, number>()
  for (const { group } of operations) if (group !== undefined) sizes.set(group, (sizes.get(group) ?? 0) + 1)
  return [...sizes.values()]
}

describe('reconcile: chains of renames', () => {
  /** Each of `n` names goes to the next one, as a camera's pictures do when one is put in front. */
  const shift = (n: number): Operation[] => {
    const name = (i: number) => path(`img${String(i).padStart(4, '0')}`)
    const { ends, archive } = start(disk => {
      for (let i = 0; i < n; i++) disk.write(name(i), `picture ${i}`, 10)
    })
    for (let i = n; i > 0; i--) ends.source.move(name(i - 1), name(i))
    const { operations } = sync(archive, ends)
    assert.deepEqual(ends.source.tree, ends.destination.tree)
    return operations.filter(op => op.kind !== 'version')
  }
  it(`${MAX_CHAIN} are one group, one more makes two, and none of them is put aside`, () => {
    for (const [n, sizes] of [
      [MAX_CHAIN, [MAX_CHAIN]],
      [MAX_CHAIN + 1, [MAX_CHAIN]],
      [MAX_CHAIN + 2, [MAX_CHAIN, 2]]
    ] as const) {
      const operations = shift(n)
      assert.deepEqual(
        operations.map(op => op.kind),
        Array.from({ length: n }, () => 'move')
      )
      assert.deepEqual(groupsOf(operations), sizes)
    }
  })
  it('a ring is one group, however long', () => {
    const n = MAX_CHAIN + 40
    const name = (i: number) => path(`f${i % n}`)
    const { ends, archive } = start(disk => {
      for (let i = 0; i < n; i++) disk.write(name(i), `text ${i}`, 10)
    })
    const aside = path('aside')
    ends.source.move(name(n - 1), aside)
    for (let i = n - 1; i > 0; i--) ends.source.move(name(i - 1), name(i))
    ends.source.move(aside, name(0))
    const { operations } = sync(archive, ends)
    assert.deepEqual(ends.source.tree, ends.destination.tree)
    assert.deepEqual(groupsOf(operations), [n + 1])
  })
})

describe('reconcile: moves that content alone tells', () => {
  const bytesAfter = (sizeBytes: number, copies: number): number => {
    const build = (disk: Disk): void => {
      for (let i = 0; i < copies; i++) disk.write(path(`old${i}`), 'the same', sizeBytes)
    }
    const { ends, archive } = start(build, { identity: false })
    for (let i = 0; i < copies; i++) ends.source.move(path(`old${i}`), path(`new${i}`))
    const { operations } = sync(archive, ends)
    assert.deepEqual(ends.source.tree, ends.destination.tree)
    return operations.reduce((n, op) => n + (op.kind === 'create' && op.content.kind === 'file' ? sizeBytes : 0), 0)
  }
  for (const [why, sizeBytes, copies, expected] of [
    [`a file of ${MIN_PAIRED_BYTES} bytes is renamed`, MIN_PAIRED_BYTES, 1, 0],
    ['one byte less is sent', MIN_PAIRED_BYTES - 1, 1, MIN_PAIRED_BYTES - 1],
    ['two of one content are sent', MIN_PAIRED_BYTES, 2, 2 * MIN_PAIRED_BYTES]
  ] as const) {
    it(why, () => assert.equal(bytesAfter(sizeBytes, copies), expected))
  }
  it('no edit follows it', () => {
    const { ends, archive } = start(disk => disk.write(path('old'), 'the same', MIN_PAIRED_BYTES), { identity: false })
    ends.source.move(path('old'), path('new'))
    ends.destination.write(path('old'), 'edited', MIN_PAIRED_BYTES)
    sync(archive, ends)
    assert.deepEqual(ends.source.tree, { old: 'edited', new: 'the same' })
    assert.deepEqual(ends.destination.tree, ends.source.tree)
  })
})

describe('reconcile: an end that folds names', () => {
  const fold = (name: string): string => name.toLowerCase()
  const options: ReconcileOptions = { ...OPTIONS, destination: { ...PLAIN_END, foldsCase: true } }

  for (const identity of [true, false]) {
    it(`foo deleted and FOO created is a rename with an edit, ${identity ? 'with' : 'without'} proof`, () => {
      const { ends, archive } = start(disk => disk.write(path('foo'), 'old'), { identity, fold })
      ends.source.remove(path('foo'))
      ends.source.write(path('FOO'), 'new')
      const { operations } = sync(archive, ends, options)
      assert.deepEqual(
        operations.map(op => op.kind),
        ['move', 'replace']
      )
      assert.deepEqual(ends.destination.tree, { FOO: 'new' })
      assert.ok(ends.destination.versions.has('old'))
    })
  }
  it('of two that it cannot tell apart the one that is there stays, the other is a problem, and the rest goes on', () => {
    for (const mode of MODES) {
      const { ends, archive } = start(disk => disk.write(path('foo'), 'one'), { fold })
      ends.source.write(path('Foo'), 'two')
      ends.source.write(path('bar'), 'three')
      const { plan } = sync(archive, ends, { ...options, mode })
      assert.deepEqual(ends.destination.tree, { foo: 'one', bar: 'three' })
      assert.deepEqual(
        rowsNamed(plan, 'problem').map(p => [p.path, p.code]),
        [['Foo', 'names-alike']]
      )
    }
  })
  it('of two that come at once neither is taken for the other', () => {
    const { ends, archive } = start(disk => disk.write(path('bar'), 'one'), { fold })
    ends.source.write(path('foo'), 'two')
    ends.source.write(path('Foo'), 'three')
    const { plan } = sync(archive, ends, options)
    assert.deepEqual(ends.destination.tree, { bar: 'one' })
    assert.deepEqual(
      rowsNamed(plan, 'problem')
        .map(p => p.path)
        .sort(),
      ['Foo', 'foo']
    )
  })
  it('a deletion never touches a name that something that stays folds to', () => {
    for (const mode of MODES) {
      const { ends, archive } = start(disk => disk.write(path('foo'), 'one'), { fold })
      ends.destination.remove(path('foo'))
      ends.destination.write(path('FOO'), 'two')
      ends.source.remove(path('foo'))
      sync(archive, ends, { ...options, mode })
      if (mode === 'mirror') assert.ok(ends.destination.versions.has('two'))
      else assert.deepEqual(ends.destination.tree, { FOO: 'two' })
    }
  })
})

describe('reconcile: what is ignored, and a directory that moves', () => {
  for (const mover of ENDS) {
    it(`what would not be ignored at the new place stays, the rest moves one by one: moved at the ${mover}`, () => {
      const { ends, archive } = start(disk => {
        disk.write(path('d/x'), 'known')
        disk.write(path('d/deep/y'), 'known too')
      })
      const stays = otherEnd(mover)
      ends[stays].write(path('d/secret'), 'left alone')
      const ignores = (p: string): boolean => p === 'd/secret'
      for (const end of ENDS) ends[end].ignores = ignores
      ends[mover].move(path('d'), path('e'))
      const options: ReconcileOptions = { ...OPTIONS, ignores }
      const first = sync(archive, ends, options)
      const moved = { e: '/', 'e/deep': '/', 'e/deep/y': 'known too', 'e/x': 'known' }
      assert.deepEqual(ends[mover].tree, moved)
      assert.deepEqual(ends[stays].tree, { ...moved, d: '/', 'd/secret': 'left alone' })
      assert.deepEqual(visible(sync(first.archive, ends, options).operations), [], 'a second run does nothing')
    })
  }
})

describe('reconcile: a directory that is deleted by its version alone', () => {
  it('stays for what was never in it when it was deleted', () => {
    const { ends, archive } = start(disk => disk.write(path('other'), 'other'))
    ends.source.write(path('d/x'), 'new')
    const version = ends.source.items.get(path('d'))!.version
    ends.destination.tombs.set(path('d'), raiseVersion(version, 'B', ends.source.world.next()))
    const { archive: after } = sync(archive, ends)
    assert.deepEqual(ends.source.tree, { d: '/', 'd/x': 'new', other: 'other' })
    assert.deepEqual(ends.destination.tree, ends.source.tree)
    assert.deepEqual(visible(sync(after, ends).operations), [])
  })
})

describe('reconcile: a directory in whose place something else is asked about', () => {
  it('keeps what is in it at each end, until it is answered', () => {
    const { ends, archive } = start(disk => disk.write(path('a/x'), 'one'))
    ends.source.write(path('d'), 'a file')
    ends.destination.move(path('a'), path('d'))
    const options: ReconcileOptions = { ...OPTIONS, policy: 'prompt' }
    let agreed = archive
    for (let run = 0; run < 3; run++) agreed = sync(agreed, ends, options).archive
    assert.deepEqual(ends.source.tree, { a: '/', 'a/x': 'one', d: 'a file' })
    assert.deepEqual(ends.destination.tree, { d: '/', 'd/x': 'one' })
  })
})

describe('reconcile: a directory that cannot be read any more', () => {
  it('has not moved to where all that it held is', () => {
    const { ends, archive } = start(disk => disk.write(path('d/x'), 'one'))
    ends.source.makeDirectory(path('e'))
    ends.source.move(path('d/x'), path('e/x'))
    ends.source.veiled.add(ends.source.items.get(path('d'))!.inode)
    sync(archive, ends)
    assert.deepEqual(ends.destination.tree, { d: '/', e: '/', 'e/x': 'one' })
  })
})
