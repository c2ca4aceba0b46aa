import assert from 'node:assert/strict'
import fc from 'fast-check'
import { nameOf, type RelPath } from '../../../storage/base/index.js'
import { ENDS, isConflictCopy, type Mode } from '../../../sync/reconcile/index.js'
import { type Edit, edit, perform } from '../reconcile/edits.js'
import { Disk, type Item, World } from '../reconcile/model.js'
import { OPTIONS, rowsNamed, visible } from '../reconcile/session.js'
import { Device, nothingKnown } from './device.js'
import { Pair, type Session } from './pair.js'

/** Who is in sync with whom, in which mode if not both ways. What goes one way comes back by no other. */
export const SHAPES: Record<string, readonly (readonly [string, string, Mode?])[]> = {
  two: [['A', 'B']],
  line: [['A', 'B'], ['B', 'C']], // biome-ignore format: a shape is a line
  triangle: [['A', 'B'], ['B', 'C'], ['C', 'A']], // biome-ignore format: a shape is a line
  star: [['A', 'B'], ['A', 'C'], ['D', 'A']], // biome-ignore format: a shape is a line
  ring: [['A', 'B'], ['B', 'C'], ['C', 'D'], ['D', 'A']], // biome-ignore format: a shape is a line
  mirror: [['A', 'B'], ['B', 'C', 'mirror']], // biome-ignore format: a shape is a line
  replica: [['A', 'B'], ['A', 'C', 'replica']], // biome-ignore format: a shape is a line
  backup: [['A', 'B'], ['B', 'C', 'backup']], // biome-ignore format: a shape is a line
  chain: [['A', 'B', 'mirror'], ['B', 'C', 'backup'], ['C', 'D', 'mirror']] // biome-ignore format: a shape is a line
}
export type Shape = keyof typeof SHAPES & string

/** What the scheduler does next: numbers that pick among what there is. */
export interface Event {
  readonly what:
    | 'edit'
    | 'begin'
    | 'step'
    | 'finish'
    | 'crash'
    | 'backup'
    | 'restore-disk'
    | 'restore-database'
    | 'lose-database'
  readonly n: number
  readonly edit: Edit
}

export interface Scenario {
  readonly shape: Shape
  readonly identity: boolean
  /** Seconds that the clock of each device is off. */
  readonly skews: readonly number[]
  readonly events: readonly Event[]
}

/** @param whats - what may happen, as often as it is named */
export const scenarios = (whats: readonly Event['what'][], edits: fc.Arbitrary<Edit>): fc.Arbitrary<Scenario> =>
  fc.record({
    shape: fc.constantFrom(...(Object.keys(SHAPES) as Shape[])),
    identity: fc.boolean(),
    skews: fc.array(fc.constantFrom(0, 0, -100_000, 100_000), { minLength: 4, maxLength: 4 }),
    events: fc.array(fc.record({ what: fc.constantFrom(...whats), n: fc.nat(1000), edit: edits }), { maxLength: 60 })
  })

export { edit as anyEdit }

/** What it is that a person does to a file, so that it can be told afterwards who saw what: no moves, and each content is new. */
export const plainEdit: fc.Arbitrary<Edit> = edit.map(e => ({
  ...e,
  what: (['write', 'save', 'remove', 'write', 'make'] as const)[e.c % 5]!
}))

/** Some devices, their syncs, and everything that happens to them, one thing at a time, chosen by numbers. */
export class Simulation {
  readonly devices: Device[]
  readonly pairs: Pair[]
  /** Content -> what whoever made it, or deleted it, had seen under that name before. */
  readonly #saw = new Map<string, ReadonlySet<string>>()
  /** What somebody wrote over or deleted -> what he had seen under that name. */
  readonly #past = new Map<string, ReadonlySet<string>>()
  /** Content -> where it was made. */
  readonly #madeAt = new Map<string, RelPath>()
  readonly made = new Set<string>()
  readonly #last = new Map<Device, Map<RelPath, string>>()
  readonly #sessions: Session[] = []
  /** Those that hear of each other's edits: the first, and who is in sync with it both ways. */
  readonly #equals: readonly Device[]
  /** Something was put back or lost: a union may bring back what was deleted, and find conflicts where there is none. */
  disturbed = false

  /** @param plain - nothing moves, so that a path tells what was seen */
  constructor(
    { shape, identity, skews }: Scenario,
    readonly plain: boolean
  ) {
    const world = new World()
    const pairs = SHAPES[shape]!
    const names = [...new Set([...pairs.map(p => p[0]), ...pairs.map(p => p[1])])].sort()
    this.devices = names.map((name, i) => {
      const disk = new Disk(world, name, identity)
      disk.skewSeconds = skews[i] ?? 0
      return new Device(world, name, disk)
    })
    const device = (name: string): Device => this.devices.find(d => d.name === name)!
    this.pairs = pairs.map(([a, b, mode = 'bidirectional']) => {
      const pair = new Pair(`${a}${b}`, { source: device(a), destination: device(b) }, { ...OPTIONS, mode })
      device(a).known.set(pair, nothingKnown())
      return pair
    })
    const oneWay = this.pairs.filter(p => p.isOneWay).map(p => p.ends.destination)
    this.#equals = this.devices.filter(d => !oneWay.includes(d))
    // Something is agreed on everywhere, so that no sync is at its first run.
    this.devices[0]!.disk.write('first' as RelPath, 'first')
    this.comeToRest()
  }

  do({ what, n, edit }: Event): void {
    const device = this.devices[n % this.devices.length]!
    const session = this.#sessions[n % Math.max(1, this.#sessions.length)]
    switch (what) {
      case 'edit':
        this.#edit(device, edit)
        return
      case 'begin':
        this.#begin(this.pairs[n % this.pairs.length]!)
        return
      case 'step':
        if (session !== undefined) for (let i = 0; i <= edit.a % 5; i++) if (this.#step(session)) return
        return
      case 'finish':
        if (session !== undefined) while (!this.#step(session));
        return
      case 'crash':
        if (session !== undefined) this.#leave(session)
        return
      case 'backup':
        device.backUp()
        return
      default:
        this.#disturb(device, what)
    }
  }

  /** Nobody does anything any more: all syncs run until none of them finds anything to do. */
  comeToRest(): void {
    for (const session of [...this.#sessions]) this.#leave(session)
    const most = 4 + 3 * this.devices.length
    for (let round = 0; ; round++) {
      const done: string[] = []
      for (const pair of this.pairs) {
        const session = this.#start(pair)
        while (!this.#step(session));
        // A mirror that found something put back takes away what is too much only with an archive.
        const agreed = session.union && pair.known.agreed
        if (pair.accepted || pair.forced || agreed) done.push(`${pair.name} goes on next time`)
        done.push(...visible(session.operations).map(op => `${pair.name} ${op}`))
      }
      if (done.length === 0) return
      assert.ok(round < most, `does not come to rest: ${done.join(', ')}`)
    }
  }

  /** Everything is where it shall be, with its settings. */
  ensureAlike(): void {
    const [first, ...others] = this.#equals
    for (const { disk, name } of others) assert.deepEqual(shown(disk), shown(first!.disk), `${name} and ${first!.name}`)
    for (const { name, options, ends, known } of this.pairs) {
      // An empty source deletes nothing before there was something to agree on.
      if (!known.agreed && ends.source.disk.items.size === 0) continue
      const [source, destination] = [shown(ends.source.disk), shown(ends.destination.disk)]
      if (options.mode === 'mirror') assert.deepEqual(destination, source, name)
      else if (options.mode !== 'bidirectional')
        for (const [at, what] of Object.entries(source)) assert.equal(destination[at], what, `${name} ${at}`)
    }
  }

  /**
   * Without anything put back: no edit is lost, not even to versions, and what was deleted or written over stays so. But where an edit
   * that neither had seen the other outlived the deletion, a third device that met only the two edits keeps both (docs/reconcile.md).
   */
  ensureTrue(): void {
    const files = [...filesOf(this.devices[0]!.disk)]
    const there = new Set(files.map(([, content]) => content))
    for (const [at, content] of files) {
      // A copy that a conflict made stays, whatever was done to the original meanwhile.
      if (isConflictCopy(nameOf(at)) || !this.#past.has(content)) continue
      assert.ok(this.#hasRival(content), `${content} came back as ${at}`)
    }
    for (const content of this.made) {
      if (!this.#past.has(content)) assert.ok(there.has(content), `${content}, which nobody took away, is gone`)
    }
  }

  /** An edit under the same name: neither had seen the other, nor had he who took this one away. */
  #hasRival(content: string): boolean {
    const saw = (a: string, b: string): boolean => this.#saw.get(a)?.has(b) === true
    const isRival = (other: string): boolean =>
      other !== content &&
      this.#madeAt.get(other) === this.#madeAt.get(content) &&
      !saw(other, content) &&
      !saw(content, other) &&
      !this.#past.get(content)!.has(other)
    return [...this.made].some(isRival)
  }

  #edit(device: Device, edit: Edit): void {
    const { disk } = device
    const before = filesOf(disk)
    const last = this.#last.get(device) ?? new Map<RelPath, string>()
    this.#last.set(device, last)
    for (const [at, content] of before) last.set(at, content)
    perform(disk, edit)
    // What is made or taken away where things only arrive concerns nobody else.
    if (!this.#equals.includes(device)) return
    const after = filesOf(disk)
    for (const [at, content] of after) {
      if (before.get(at) === content || this.made.has(content)) continue
      this.made.add(content)
      this.#madeAt.set(content, at)
      const old = last.get(at)
      this.#saw.set(content, new Set(old === undefined ? [] : [old, ...(this.#saw.get(old) ?? [])]))
    }
    const there = new Set(after.values())
    for (const content of before.values())
      if (!there.has(content)) this.#past.set(content, this.#saw.get(content) ?? new Set())
  }

  #begin(pair: Pair): void {
    if (!pair.busy) this.#start(pair)
  }

  #start(pair: Pair): Session {
    const session = pair.session()
    for (const end of ENDS) pair.ends[end].busy = true
    this.#sessions.push(session)
    return session
  }

  /** @returns whether it has ended */
  #step(session: Session): boolean {
    const held = contentsOf(session.pair)
    const { source } = session.pair.ends
    const untouched = session.pair.isOneWay ? source.disk.copy() : undefined
    const wasPlanned = session.seen !== undefined
    const next = session.steps.next()
    const holds = contentsOf(session.pair)
    for (const content of held) assert.ok(holds.has(content), `${session.pair.name} lost ${content}`)
    if (untouched !== undefined)
      assert.deepEqual(source.disk.items, untouched.items, `${session.pair.name} wrote at its source`)
    if (!wasPlanned && session.seen !== undefined) this.#judge(session)
    if (next.done !== true) return false
    this.#leave(session)
    if (next.value === 'rolled-back') {
      assert.ok(this.disturbed, 'rolled back, though nothing was')
      session.pair.accepted = true
    }
    if (next.value === 'halted') session.pair.forced = true
    return true
  }

  #leave(session: Session): void {
    this.#sessions.splice(this.#sessions.indexOf(session), 1)
    for (const end of ENDS) session.pair.ends[end].busy = false
  }

  #judge({ pair, plan, seen, union, operations }: Session): void {
    if (union && (pair.options.mode !== 'mirror' || pair.accepted)) {
      // What gives its name to the winner of a conflict has another; one way the name is the source's, whatever it is there.
      const gives = pair.isOneWay ? 'kind-changed' : 'conflict-copy'
      const removed = operations.filter(op => op.kind === 'remove' && op.reason !== gives)
      assert.deepEqual(removed, [], 'a union deletes nothing')
    }
    if (this.disturbed || !this.plain) return
    for (const { path: at } of rowsNamed(plan, 'conflict')) {
      const [a, b] = ENDS.map(end => seen![end].items.get(at))
      if (a?.kind !== 'file' || b?.kind !== 'file') continue
      const knew =
        this.#saw.get(a.content)?.has(b.content) === true || this.#saw.get(b.content)?.has(a.content) === true
      assert.ok(!knew, `${a.content} and ${b.content} at ${at} are no conflict`)
    }
  }

  #disturb(device: Device, what: Event['what']): void {
    if (device.busy) return
    if (what === 'restore-disk' ? device.restoreDisk() : what === 'restore-database' && device.restoreDatabase()) {
      this.disturbed = true
    } else if (what === 'lose-database') {
      device.loseDatabase()
      this.disturbed = true
    }
  }
}

const filesOf = (disk: Disk): Map<RelPath, string> =>
  new Map([...disk.items].filter(([, i]) => i.kind === 'file' || i.kind === 'symlink').map(([p, i]) => [p, i.content]))

/** Names, kinds and contents, permission bits, and of files the time. */
function shown(disk: Disk): Record<string, string> {
  const settings = ({ kind, mode, mtimeNs }: Item): string =>
    kind === 'symlink' ? '' : ` ${mode.toString(8)}${kind === 'file' ? ` ${mtimeNs}` : ''}`
  const { tree } = disk
  return Object.fromEntries(
    Object.entries(tree).map(([p, what]) => [p, what + settings(disk.items.get(p as RelPath)!)])
  )
}

const contentsOf = (pair: Pair): Set<string> => {
  const all = ENDS.flatMap(end => [...pair.ends[end].disk.contents, ...pair.ends[end].disk.versions])
  return new Set(all)
}
