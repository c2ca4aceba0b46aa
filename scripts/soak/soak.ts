import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../../test/random.js'
import { freePort } from '../bench/rsync.js'
import { pair, syncBoth } from '../instance.js'
import { Checks } from './checks.js'
import { Device, type Held } from './device.js'
import { Edits, type Place } from './edits.js'
import { Faults } from './faults.js'
import { Ledger } from './ledger.js'
import { Rest } from './rest.js'
import { makePackages, makeRepository, REPOSITORY, reinstall, workInRepository } from './work.js'

const EPOCH_MS = 90_000
/** The longest between two edits, and between two faults. */
const [EDIT_MS, FAULT_MS] = [120, 9_000]
const [REPOSITORY_SHARE, PACKAGES_SHARE] = [0.02, 0.01]
/** Every third stretch ends no process. */
const CALM = 3
/** After so long nothing is held any more that waits for more of the same to come. */
const AT_REST_MS = 90_000
/** What an end at rest may hold more than at the beginning, each stretch being as busy as the one before. */
const [MORE_OPEN_FILES, MORE_RESIDENT_MIB] = [16, 100]

export interface SoakInit {
  readonly dir: string
  readonly seed: number
  readonly tree: string
  readonly devices: number
  /** No process is ended. */
  readonly calm: boolean
  note(text: string): void
}

export class Soak {
  readonly #init: SoakInit
  readonly #random: () => number
  readonly #ledger = new Ledger()
  #devices: readonly Device[] = []
  #ended = false

  constructor(init: SoakInit) {
    this.#init = init
    this.#random = randomFrom(init.seed)
  }

  /** @throws what was found to be wrong, in words */
  async run(forMs: number): Promise<Record<string, unknown>> {
    const { note } = this.#init
    await this.#begin()
    const random = this.#random
    const [edits, faults] = [new Edits(this.#ledger, random, [REPOSITORY]), new Faults(this.#devices, random)]
    const [rest, checks] = [new Rest(this.#devices, note), new Checks(this.#devices, this.#ledger)]
    await rest.reach()
    checks.whole()
    const first = await this.#heldAnew(rest)
    note(`in step; each holds ${said(first)}`)
    let held = first
    const until = performance.now() + forMs
    for (let epoch = 1; performance.now() < until || epoch % CALM !== 1; epoch++) {
      const calm = this.#init.calm || epoch % CALM === 0
      // Processes that were ended hold little at first: what grows is seen from calm stretch to calm stretch.
      const epochMs = Math.min(EPOCH_MS, Math.max(forMs / CALM, 10_000))
      await this.#stretch(epoch, epochMs, { calm, edits, faults })
      await rest.reach()
      checks.whole()
      const busy = this.#devices.map(d => d.held())
      note(`stretch ${epoch}${calm ? ' (calm)' : ''}: ${edits.made} edits, all alike; each holds ${said(busy)}`)
      if (epoch % CALM !== 0) continue
      held = await this.#heldAtRest()
      note(`at rest each holds ${said(held)}`)
    }
    checks.versions()
    ensureNotMore(first, held)
    return { edits: edits.made, contents: this.#ledger.size, ...faults.counts, ...rest.counts, first, last: held }
  }

  /** Ends what still runs. */
  async end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await Promise.all(this.#devices.map(d => d.kill()))
  }

  async #begin(): Promise<void> {
    const { dir, tree, devices: count, note } = this.#init
    const devices: Device[] = []
    for (let i = 0; i < count; i++) devices.push(new Device(`device${i + 1}`, dir, await freePort()))
    this.#devices = devices
    for (const { root } of devices) mkdirSync(root)
    const [first] = devices as [Device]
    note(`copying ${tree}`)
    execFileSync('cp', ['-a', tree, join(first.root, 'tree')])
    makePackages(first.root)
    makeRepository(first.root)
    for (const device of devices) await device.start()
    for (let i = 1; i < count; i++) {
      const [driver, server] = [devices[i - 1]!, devices[i]!]
      await pair(driver.instance, server.instance)
      const name = `${driver.name}-${server.name}`
      await syncBoth(
        name,
        { device: driver.instance, root: driver.root },
        { device: server.instance, root: server.root }
      )
      note(`${driver.name} and ${server.name} are paired`)
    }
  }

  /** What each holds after a start and a look at everything. */
  async #heldAnew(rest: Rest): Promise<Held[]> {
    for (const device of this.#devices) {
      await device.stop()
      await device.start()
    }
    await rest.reach()
    return this.#heldAtRest()
  }

  async #heldAtRest(): Promise<Held[]> {
    await sleep(AT_REST_MS)
    return this.#devices.map(d => d.held())
  }

  async #stretch(
    epoch: number,
    forMs: number,
    { calm, edits, faults }: { calm: boolean; edits: Edits; faults: Faults }
  ): Promise<void> {
    const until = performance.now() + forMs
    // Who works in the repository changes when all are alike.
    const owner = this.#devices[epoch % this.#devices.length]!
    const editing = (async () => {
      while (performance.now() < until) {
        const device = this.#devices[Math.floor(this.#random() * this.#devices.length)]!
        const place: Place = { device: device.name, root: device.root }
        const at = this.#random()
        if (at < REPOSITORY_SHARE) workInRepository(owner.root, this.#random)
        else if (at < REPOSITORY_SHARE + PACKAGES_SHARE) reinstall(place, this.#ledger, this.#random)
        else await edits.one(place)
        await sleep(this.#random() * EDIT_MS)
      }
    })()
    const failing = (async () => {
      while (performance.now() < until) {
        await sleep(this.#random() * FAULT_MS)
        for (const device of this.#devices) device.ensureAlive()
        await faults.one(calm)
      }
    })()
    await Promise.all([editing, failing])
  }
}

const said = (held: readonly Held[]): string =>
  held.map(h => `${h.residentMiB} MiB and ${h.openFiles} files`).join(', ')

function ensureNotMore(first: readonly Held[], last: readonly Held[]): void {
  for (const [i, now] of last.entries()) {
    const before = first[i]!
    if (now.openFiles > before.openFiles + MORE_OPEN_FILES || now.residentMiB > before.residentMiB + MORE_RESIDENT_MIB)
      throw new Error(`device ${i + 1} holds more than at the beginning: ${said([before])} then, ${said([now])} now`)
  }
}
