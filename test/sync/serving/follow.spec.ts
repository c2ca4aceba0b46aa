import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import {
  isWithin,
  nameOf,
  parentOf,
  type RelPath,
  ROOT,
  type WorkerPool,
  workerPool
} from '../../../storage/base/index.js'
import type { Expected } from '../../../storage/files/index.js'
import { WHOLE_AGAIN_MS } from '../../../sync/session/follow.js'
import { tempDir } from '../../temp.js'
import { type MemoryTree, named } from '../endpoints/memory/tree.js'
import { Follower, type Part, steadyTree } from './follower.js'

const EXPECTED = {} as Expected
/** More by SPACEDRIVE_RUNS, for a long search. */
const RUNS = Number(process.env.SPACEDRIVE_RUNS ?? 12)

describe('following what changes in a served folder', () => {
  const temp = tempDir()
  let pool: WorkerPool
  let follower: Follower
  let end: MemoryTree
  before(() => {
    pool = workerPool(2)
  })
  after(async () => {
    await pool.close()
    temp.clean()
  })
  const fresh = async (): Promise<Follower> => {
    end = steadyTree()
    follower = await Follower.open(end, mkdtempSync(join(temp.path, 'f-')), pool)
    return follower
  }
  const told = (): number =>
    follower.pages.reduce(
      (sum, page) =>
        sum + (page.kind === 'entries' ? page.entries.length : page.kind === 'gone' ? page.paths.length : 0),
      0
    )
  const isWhole = (): boolean => follower.pages.some(page => page.kind === 'whole')

  describe('tells', () => {
    beforeEach(async () => {
      await fresh()
      for (const dir of ['a', 'b']) {
        end.make(named(dir), 'directory')
        for (let i = 0; i < 40; i++) end.write(named(dir, `f${i}`), `${dir}${i}`)
      }
      await follower.follow()
      assert.equal(isWhole(), true)
      follower.check(true)
    })
    afterEach(() => follower.close())

    it('nothing where nothing changed, after restarts too', async () => {
      for (const restart of [false, true]) {
        if (restart) await follower.restart()
        assert.equal(await follower.follow({ whole: true }), true)
        assert.deepEqual([told(), isWhole()], [0, false])
      }
    })

    it('one file that was edited, and one of a folder', async () => {
      end.write(named('a', 'f7'), 'other')
      await follower.follow({ whole: true })
      assert.equal(told(), 1)
      follower.check(true)
      end.write(named('b', 'new'), 'new')
      follower.hint(named('b', 'new'))
      await follower.follow()
      assert.equal(told(), 1)
      follower.check(false)
    })

    it('what an answer that was cut off had found, again', async () => {
      for (const whole of [true, false]) {
        const edited = named('a', `cut ${whole}`)
        end.write(edited, 'new')
        follower.hint(edited)
        // Before anything is told, and before its end.
        for (const cutAfter of [0, 1, 2]) assert.equal(await follower.follow({ whole, cutAfter }), false)
        await follower.follow({ whole: true })
        assert.equal(isWhole(), false)
        follower.check(true)
      }
    })

    it('the name of a folder that was renamed, not what it holds', async () => {
      end.rename(named('a'), named('c'))
      end.write(named('c', 'f1'), 'edited within')
      await follower.follow({ whole: true })
      assert.ok(told() <= 3, `${told()} names`) // it, what was edited, and the old name
      follower.check(true)
      end.rename(named('c'), named('d'))
      follower.hint(named('c'))
      follower.hint(named('d'), true)
      await follower.follow()
      assert.ok(told() <= 2, `${told()} names`)
      follower.check(false)
    })

    it('folders that swap their names', async () => {
      end.rename(named('a'), named('x'))
      end.rename(named('b'), named('a'))
      end.rename(named('x'), named('b'))
      await follower.follow({ whole: true })
      assert.equal(told(), 2)
      follower.check(true)
    })

    it('a folder that the driver renamed itself once more, but not what it holds', async () => {
      await follower.place(
        { kind: 'move', path: named('a'), to: named('z'), expected: EXPECTED },
        () => end.rename(named('a'), named('z')),
        true
      )
      await follower.follow({ whole: true })
      assert.ok(told() <= 2, `${told()} names`)
      assert.equal(isWhole(), false)
      follower.check(true)
    })

    it('nothing of what a folder holds that the driver renamed, whichever of its names is hinted at first', async () => {
      await follower.follow() // what it was told is known to be known
      await follower.place(
        { kind: 'move', path: named('a'), to: named('z'), expected: EXPECTED },
        () => end.rename(named('a'), named('z')),
        true
      )
      for (const [name, subtree] of [
        [named('a'), false],
        [named('z'), true]
      ] as const) {
        follower.hint(name, subtree)
        await follower.follow()
        assert.ok(told() <= 2, `${told()} names`)
        assert.equal(isWhole(), false)
      }
      follower.check(true)
    })

    it('the name of a folder that the driver renamed, and what was done in it then, when it ended before it wrote that down', async () => {
      await follower.place(
        { kind: 'move', path: named('a'), to: named('z'), expected: EXPECTED },
        () => end.rename(named('a'), named('z')),
        false
      )
      end.write(named('z', 'f1'), 'edited within')
      end.make(named('a'), 'directory')
      await follower.follow({ whole: true })
      assert.ok(told() <= 4, `${told()} names`) // it, its old name, what was edited, what has that name now
      assert.equal(isWhole(), false)
      follower.check(true)
    })

    it('one name of a large folder that is gone', async () => {
      end.make(named('large'), 'directory')
      for (let i = 0; i < 5_000; i++) end.write(named('large', `f${i}`), '')
      await follower.follow({ whole: true })
      end.remove(named('large'))
      await follower.follow({ whole: true })
      assert.equal(told(), 1)
      follower.check(true)
    })

    it('a renamed folder whose disk was put back: everything', async () => {
      const before = end.save()
      await follower.place(
        { kind: 'move', path: named('a'), to: named('z'), expected: EXPECTED },
        () => end.rename(named('a'), named('z')),
        true
      )
      end.putBack(before)
      await follower.follow({ whole: true })
      follower.check(true)
    })

    it('everything to a driver that placed more than is known here', async () => {
      await follower.save()
      await follower.follow({ whole: true })
      await follower.save()
      await follower.place(
        { kind: 'create', path: named('mine'), from: { staging: '', path: named('x') } },
        () => end.write(named('mine'), 'mine'),
        true
      )
      await follower.putBack(['server', 'disk'])
      await follower.follow({ whole: true })
      assert.equal(isWhole(), true)
      follower.check(true)
    })

    it('everything again after a week, where all is looked at anyway', async () => {
      const again = async (whole: boolean): Promise<boolean> => {
        await follower.follow({ whole })
        return isWhole()
      }
      follower.nowMs += WHOLE_AGAIN_MS - 1
      await follower.loseRow(named('a', 'f7'))
      assert.deepEqual([await again(true), await again(false)], [false, false])
      assert.throws(() => follower.check(true))
      follower.nowMs += 1
      assert.deepEqual([await again(false), await again(true), await again(true)], [false, true, false])
      follower.check(true)
      follower.nowMs -= 1 // the clock was put back
      assert.deepEqual([await again(true), await again(true)], [true, false])
    })

    it('everything once the database here is lost', async () => {
      end.remove(named('a', 'f1'))
      await follower.lose('server')
      await follower.follow({ whole: true })
      assert.equal(isWhole(), true)
      follower.check(true)
    })
  })

  const name = fc.constantFrom('a', 'b', 'c')
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map(names => named(...names))
  const command = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('edit' as const), path, text: fc.constantFrom('1', '22', '333') })
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constantFrom('mkdir', 'link', 'fifo', 'remove', 'chmod', 'lock'), path })
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('rename' as const), path, to: path }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('place' as const), path, to: path, learns: fc.boolean() }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('follow' as const), whole: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('cut' as const), whole: fc.boolean(), after: fc.nat(8) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart', 'save') }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('put back' as const),
        parts: fc.subarray<Part>(['disk', 'server', 'driver'], { minLength: 1 })
      })
    }
  )
  type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

  it('a driver that follows holds what a listing would show, whatever is edited, cut off, restarted and put back', () =>
    fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 4, maxLength: 30 }), async commands => {
        await fresh()
        try {
          for (const one of commands) await run(one as Command)
          assert.equal(await follower.follow({ whole: true }), true)
          follower.check(true)
        } finally {
          await follower.close()
        }
      }),
      { numRuns: RUNS }
    ))

  /** All of an answer is here, and the daemons have not been started since: a session is under way. */
  let following = false
  async function run(one: Command): Promise<void> {
    switch (one.do) {
      case 'follow': {
        const whole = one.whole || follower.hints === undefined
        await follower.follow({ whole })
        follower.check(whole)
        following = true
        return
      }
      case 'cut':
        following = await follower.follow({ whole: one.whole || follower.hints === undefined, cutAfter: one.after })
        return
      case 'restart':
      case 'save':
        await follower[one.do]()
        following = false
        return
      case 'put back':
        await follower.putBack((one as { parts: Part[] }).parts)
        following = false
        return
      case 'place':
        if (following) await place(one as { path: RelPath; to: RelPath; learns: boolean })
        return
      default:
        edit(one as { do: string; path: RelPath; to?: RelPath; text?: string })
    }
  }

  async function place({ path, to, learns }: { path: RelPath; to: RelPath; learns: boolean }): Promise<void> {
    if (end.hides(path) || end.hides(to)) return
    const kind = end.has(path)
    const from = { staging: '', path: named('x') }
    if (kind === undefined) {
      if (end.has(parentOf(path)) !== 'directory') return
      await follower.place({ kind: 'create', path, from }, () => end.write(path, 'placed'), learns)
    } else if (canRename(path, to)) {
      await follower.place({ kind: 'move', path, to, expected: EXPECTED }, () => end.rename(path, to), learns)
      follower.hint(to, true)
    } else if (kind === 'file') {
      await follower.place({ kind: 'remove', path, expected: EXPECTED, aside: from }, () => end.remove(path), learns)
    }
    follower.hint(path)
    if (!learns) following = false
  }

  const canRename = (path: RelPath, to: RelPath): boolean =>
    end.has(path) !== undefined &&
    end.has(to) === undefined &&
    end.has(parentOf(to)) === 'directory' &&
    !isWithin(to, path)

  /** By hand; the watch tells of it. */
  function edit({
    do: what,
    path,
    to = ROOT,
    text = ''
  }: {
    do: string
    path: RelPath
    to?: RelPath
    text?: string
  }): void {
    const kind = end.has(path)
    const free = kind === undefined && end.has(parentOf(path)) === 'directory'
    if (what === 'edit' && (kind === 'file' || free)) end.write(path, text)
    else if (what === 'mkdir' && free) end.make(path, 'directory')
    else if (what === 'link' && free) end.make(path, 'symlink', nameOf(path))
    else if (what === 'fifo' && free) end.make(path, 'other')
    else if (what === 'remove' && kind !== undefined) end.remove(path)
    else if (what === 'chmod' && kind !== undefined) end.chmod(path, 0o700)
    else if (what === 'lock' && kind === 'directory') end.lock(path, end.has(path) !== undefined && !end.isLocked(path))
    else if (what === 'rename' && canRename(path, to)) {
      end.rename(path, to)
      follower.hint(to, true)
    } else return
    follower.hint(path, what === 'lock')
  }
})
