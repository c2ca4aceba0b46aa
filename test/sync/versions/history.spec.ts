import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type ContentHash, joinRel, nameOf, parentOf, type RelPath, ROOT } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import {
  type EntryThen,
  exactMoment,
  formatLine,
  type Kept,
  parseLine,
  parsePolicy,
  stretchEnd,
  Thinner,
  type TreeNow,
  TreeThen,
  type VersionLine,
  type VersionPolicy
} from '../../../sync/versions/index.js'

const hashOf = (text: string): ContentHash => hashBytes(Buffer.from(text))
const file = (text: string, mtimeNs = 5n): Kept => ({
  ...{ kind: 'file', hash: hashOf(text), sizeBytes: text.length, mtimeNs, mode: 0o644 }
})
const folder: Kept = { kind: 'directory', mtimeNs: 7n, mode: 0o755 }
const rel = (path: string): RelPath => path as RelPath
const line = (init: Partial<VersionLine>): VersionLine => ({
  ...{ atMs: 1, run: 'r', path: rel('a'), was: null, why: 'because' },
  ...init
})

describe('lines of the history', () => {
  it('come back as they were, whatever bytes a name has', () => {
    const name = fc.array(
      fc.integer({ min: 1, max: 255 }).filter(b => b !== 0x2f),
      { minLength: 1, maxLength: 20 }
    )
    fc.assert(
      fc.property(name, fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), fc.nat(0o7777), (bytes, mtimeNs, mode) => {
        const text = [...bytes].map(b => (b < 128 ? String.fromCharCode(b) : String.fromCharCode(0xdc00 + b))).join('')
        fc.pre(text !== '.' && text !== '..')
        for (const was of [null, { ...file('x', mtimeNs), mode }, { kind: 'symlink', target: text, mtimeNs } as Kept]) {
          const before = line({ path: rel(`d/${text}`), was, to: rel(text), from: 'laptop' })
          assert.deepEqual(parseLine(formatLine(before).trimEnd()), before)
          assert.equal(formatLine(before).split('\n').length, 2)
        }
      })
    )
  })

  it('anything else is no line', () => {
    const good = JSON.parse(formatLine(line({ was: file('x') }))) as Record<string, unknown>
    for (const bad of [
      ...[{ v: 2 }, { at: 1.5 }, { at: '1' }, { run: 3 }, { path: '../x' }, { path: '/etc/passwd' }, { path: '' }],
      ...[
        { was: {} },
        { was: { ...(good.was as object), hash: 'abc' } },
        { was: { ...(good.was as object), mode: -1 } }
      ],
      ...[{ to: 'a/../b' }, { was: { kind: 'symlink', mtimeNs: '1' } }, { was: undefined }]
    ])
      assert.equal(parseLine(JSON.stringify({ ...good, ...bad })), undefined, JSON.stringify(bad))
    assert.equal(parseLine('{"v":1,"at":1,'), undefined)
    fc.assert(fc.property(fc.string(), text => void parseLine(text)))
    fc.assert(fc.property(fc.json(), text => void parseLine(text)))
  })
})

/** A tree in memory that can do what a run does, and says what it wrote down. */
class Model {
  readonly entries = new Map<string, Kept>()
  readonly lines: VersionLine[] = []
  readonly states: Map<string, Kept>[] = []

  #say(init: Partial<VersionLine>): void {
    this.lines.push(line({ ...init, atMs: this.states.length + 1 }))
  }
  #canHold(path: string): boolean {
    const parent = parentOf(rel(path))
    return parent === ROOT || this.entries.get(parent)?.kind === 'directory'
  }
  #under(path: string): string[] {
    return [...this.entries.keys()].filter(p => p.startsWith(`${path}/`))
  }
  step(kind: number, a: string, b: string, text: string): void {
    const old = this.entries.get(a)
    if (kind === 0 && this.#canHold(a) && old?.kind !== 'directory') {
      this.#say({ path: rel(a), was: old ?? null })
      this.entries.set(a, file(text))
    } else if (kind === 1 && this.#canHold(a) && old === undefined) {
      this.#say({ path: rel(a), was: null })
      this.entries.set(a, folder)
    } else if (kind === 2 && old !== undefined && this.#under(a).length === 0) {
      this.#say({ path: rel(a), was: old })
      this.entries.delete(a)
    } else if (
      kind === 3 &&
      old !== undefined &&
      !this.entries.has(b) &&
      this.#canHold(b) &&
      !`${b}/`.startsWith(`${a}/`)
    ) {
      this.#say({ path: rel(a), was: null, to: rel(b) })
      for (const path of [a, ...this.#under(a)]) {
        this.entries.set(b + path.slice(a.length), this.entries.get(path)!)
        this.entries.delete(path)
      }
    } else if (kind === 4 && (old?.kind === 'directory' || old?.kind === 'file')) {
      const { mtimeNs, mode } = old
      this.#say({ path: rel(a), was: { kind: 'attributes', mtimeNs, mode } })
      this.entries.set(a, { ...old, mode: text.length === 0 ? 0o700 : 0o750 })
    }
    this.states.push(new Map(this.entries))
  }
  readonly today: TreeNow = {
    list: path =>
      [...this.entries]
        .filter(([p]) => parentOf(rel(p)) === path)
        .map(([p, entry]) => ({ name: nameOf(rel(p)), entry })),
    find: path => this.entries.get(path)
  }
}

const paths = ['a', 'b', 'a/x', 'a/y', 'b/x', 'a/x/p', 'b/x/p'].map(p => fc.constant(p))
const steps = fc.array(fc.tuple(fc.nat(4), fc.oneof(...paths), fc.oneof(...paths), fc.constantFrom('', '1', '2')), {
  maxLength: 30
})

/** Everything at and below `path`, also what is told as a whole. */
function collect(then: TreeThen, path: RelPath, today: TreeNow): EntryThen[] {
  const below = (at: RelPath, now: RelPath): EntryThen[] =>
    today.list(now).flatMap(({ name, entry }) => {
      const [here, there] = [joinRel(at, name), joinRel(now, name)]
      return [{ path: here, was: entry, now: there }, ...below(here, there)]
    })
  return [...then.entries(path, today)].flatMap(({ whole, ...entry }) =>
    whole === true ? [entry, ...below(entry.path, entry.now!)] : [entry]
  )
}

describe('a tree as of a moment', () => {
  it('whatever was created, edited, deleted and moved: undoing the lines gives back each earlier state', () => {
    fc.assert(
      fc.property(steps, fc.nat(30), (list, pick) => {
        const model = new Model()
        for (const [kind, a, b, text] of list) model.step(kind, a, b, text)
        const at = Math.min(pick, model.states.length)
        const expected = at === 0 ? new Map<string, Kept>() : model.states[at - 1]!
        const then = new TreeThen()
        for (const l of [...model.lines].reverse()) if (l.atMs > at) then.undo(l)
        const got = collect(then, ROOT, model.today)
        assert.deepEqual(new Map(got.map(e => [e.path as string, e.was])), expected)
        for (const { path, was, now } of got) {
          // Where it says that the content is there today, it is.
          const today = now === undefined ? was : { ...model.entries.get(now)!, mode: 'mode' in was ? was.mode : 0 }
          assert.deepEqual(today, was)
          const part = collect(then, path, model.today)
          assert.deepEqual(
            part.map(e => e.path),
            got.map(e => e.path).filter(p => p === path || p.startsWith(`${path}/`))
          )
        }
        assert.deepEqual(collect(then, rel('nowhere'), model.today), [])
      }),
      { numRuns: 500 }
    )
  })

  it('what left a folder while that moved as well, in one step, is back in it', () => {
    const today: TreeNow = {
      list: path =>
        path === ROOT
          ? ['new', 'out'].map(name => ({ name, entry: name === 'new' ? folder : file('x') }))
          : path === 'new'
            ? [{ name: 'stayed', entry: file('s') }]
            : [],
      find: path => (path === 'new' ? folder : path === 'out' ? file('x') : undefined)
    }
    const then = new TreeThen()
    // As one group writes them: the names from before it, and those from after it.
    then.undo(line({ path: rel('old/x'), to: rel('out'), group: 1 }))
    then.undo(line({ path: rel('old'), to: rel('new'), group: 1 }))
    assert.deepEqual(
      collect(then, ROOT, today).map(e => [e.path, e.now]),
      [
        ['old', 'new'],
        ['old/stayed', 'new/stayed'],
        ['old/x', 'out']
      ]
    )
  })

  it('names that changed places, in a ring and within one another, all at once', () => {
    const names = ['a', 'b', 'c', 'd', 'd/in']
    const today: TreeNow = {
      list: path =>
        names.filter(n => parentOf(rel(n)) === path).map(n => ({ name: nameOf(rel(n)), entry: today.find(rel(n))! })),
      find: path => (path === 'd' ? folder : names.includes(path) ? file(path) : undefined)
    }
    const moves = (...pairs: [string, string][]): string[][] => {
      const then = new TreeThen()
      for (const [path, to] of pairs) then.undo(line({ path: rel(path), to: rel(to), group: 7 }))
      return collect(then, ROOT, today).map(e => [e.path, e.now!])
    }
    const inD = [
      ['d', 'd'],
      ['d/in', 'd/in']
    ]
    assert.deepEqual(moves(['a', 'b'], ['b', 'a']), [['a', 'b'], ['b', 'a'], ['c', 'c'], ...inD])
    assert.deepEqual(moves(['a', 'b'], ['b', 'c'], ['c', 'a']), [['a', 'b'], ['b', 'c'], ['c', 'a'], ...inD])
    assert.deepEqual(moves(['a', 'd/in'], ['d/in', 'a']).slice(-2), [inD[0], ['d/in', 'a']])
    // The folder and what lies in it were each other's: d was within what is d/in now, which was no folder's place.
    assert.deepEqual(moves(['x', 'd'], ['x/y', 'a'], ['a', 'd/in']), [
      ['a', 'd/in'],
      ['b', 'b'],
      ['c', 'c'],
      ['x', 'd'],
      ['x/y', 'a']
    ])
  })

  it('a folder of many that was moved is one step, and asks only for what is walked', () => {
    const asked: string[] = []
    const today: TreeNow = {
      list: path => {
        asked.push(path)
        return path === ROOT ? [{ name: 'new', entry: folder }] : []
      },
      find: path => (path === 'new' ? folder : path === 'new/f' ? file('1') : undefined)
    }
    const then = new TreeThen()
    then.undo(line({ path: rel('old'), to: rel('new') }))
    assert.deepEqual([...then.entries(rel('old/f'), today)], [{ path: 'old/f', was: file('1'), now: 'new/f' }])
    assert.deepEqual([...then.entries(rel('new'), today)], [])
    assert.deepEqual(asked, [])
    const whole = new TreeThen()
    whole.undo(line({ path: rel('x'), was: file('2') }))
    assert.deepEqual(
      [...whole.entries(ROOT, today)],
      [
        { path: 'new', was: folder, now: 'new', whole: true },
        { path: 'x', was: file('2') }
      ]
    )
    assert.deepEqual(asked, [ROOT])
  })
})

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = 1_700_000_000_000

/** What stays of versions of one path, told by their ages, oldest first. */
function stay(policy: VersionPolicy, ages: readonly number[], nowMs = NOW): number[] {
  const thinner = new Thinner<number>(policy, nowMs)
  const kept = [...ages].sort((a, b) => a - b).flatMap(age => thinner.next('p', NOW - age, age).keep)
  return [...kept, ...thinner.end().keep].sort((a, b) => b - a)
}

describe('version policies', () => {
  it('trashcan keeps everything for so many days, and never less than one', () => {
    assert.deepEqual(stay({ kind: 'trashcan', days: 30 }, [0, DAY, 30 * DAY - 1, 30 * DAY]), [30 * DAY - 1, DAY, 0])
    assert.deepEqual(stay({ kind: 'trashcan', days: 0 }, [DAY - 1, DAY]), [DAY - 1])
  })

  it('simple keeps the newest of each path, and what is younger than a day', () => {
    const ages = [5 * DAY, 4 * DAY, 3 * DAY, DAY, DAY - 1, 0]
    assert.deepEqual(stay({ kind: 'simple', count: 3 }, ages), [DAY, DAY - 1, 0])
    assert.deepEqual(stay({ kind: 'simple', count: 1 }, ages), [DAY - 1, 0])
    const thinner = new Thinner<string>({ kind: 'simple', count: 1 }, NOW)
    assert.deepEqual(thinner.next('a', NOW - 2 * DAY, 'x').keep, ['x'])
    assert.deepEqual(thinner.next('b', NOW - 2 * DAY, 'y').keep, ['y'], 'another path counts for itself')
    assert.deepEqual(thinner.next('a', NOW - 3 * DAY, 'z').drop, ['z'])
  })

  it('staggered: the first of each stretch, 30 s, an hour, a day, a week long, and the newest', () => {
    const kept = stay(
      { kind: 'staggered' },
      Array.from({ length: 40 * 24 * 12 }, (_, i) => i * 5 * 60_000)
    )
    const between = (from: number, to: number): number => kept.filter(age => age >= from && age < to).length
    assert.equal(between(0, HOUR), 12, 'all of the last hour: they are 5 minutes apart')
    assert.ok(between(HOUR, DAY) >= 23 && between(HOUR, DAY) <= 24)
    assert.ok(between(DAY, 30 * DAY) >= 28 && between(DAY, 30 * DAY) <= 30)
    assert.ok(between(30 * DAY, 41 * DAY) >= 1 && between(30 * DAY, 41 * DAY) <= 3)
    assert.deepEqual(stay({ kind: 'staggered' }, [40 * DAY, 40 * DAY + 1, 40 * DAY + 2]), [40 * DAY + 2, 40 * DAY])
  })

  const ages = fc.uniqueArray(fc.nat(60 * 24), { maxLength: 60 }).map(hours => hours.map(h => h * HOUR))

  it('staggered: thinning every few days on the way keeps all that thinning once keeps, and at most the newest besides', () => {
    fc.assert(
      fc.property(ages, fc.integer({ min: 1, max: 20 }), (list, every) => {
        let left = list
        for (let daysAgo = 60; daysAgo >= 0; daysAgo -= every) {
          const at = NOW - daysAgo * DAY
          const there = left.filter(age => NOW - age <= at)
          left = [...left.filter(age => NOW - age > at), ...stay({ kind: 'staggered' }, there, at)]
        }
        const once = stay({ kind: 'staggered' }, list)
        const often = stay({ kind: 'staggered' }, left)
        assert.deepEqual(
          once.filter(age => !often.includes(age)),
          []
        )
        assert.ok(often.length <= once.length + 2, `${often.length} of ${once.length}`)
      })
    )
  })

  it('staggered: at the beginning of a stretch it is exactly known what was there', () => {
    fc.assert(
      fc.property(ages, fc.nat(60 * 24 * 60), (list, minutes) => {
        // Each version is the content until it lost its name: that at a moment is the first that did so after it.
        const at = exactMoment(NOW - minutes * 60_000, NOW, NOW)
        const first = (from: readonly number[]): number | undefined =>
          [...from].sort((a, b) => b - a).find(age => NOW - age > at)
        assert.equal(first(stay({ kind: 'staggered' }, list)), first(list))
        assert.ok(at <= NOW - minutes * 60_000 && stretchEnd(at, NOW) > at)
      })
    )
  })

  it('as text', () => {
    for (const [text, policy] of [
      ['trashcan', { kind: 'trashcan', days: 30 }],
      ['trashcan:1', { kind: 'trashcan', days: 1 }],
      ['trashcan:36500', { kind: 'trashcan', days: 36_500 }],
      ['simple:10000', { kind: 'simple', count: 10_000 }],
      ['staggered', { kind: 'staggered' }]
    ] as const)
      assert.deepEqual(parsePolicy(text), policy)
    for (const text of [
      'none',
      '',
      'trashcan:0',
      'trashcan:36501',
      'simple:0',
      'simple:10001',
      'simple:x',
      'staggered:1',
      'simple:1:2'
    ])
      assert.ok('refused' in parsePolicy(text), text)
  })
})
