import { setTimeout as sleep } from 'node:timers/promises'
import type { Device } from './device.js'
import { differences, lookAt } from './look.js'

/** Nothing came nearer to rest for so long, on a machine that may have much else to do: then something is wrong. */
const LATEST_MS = 900_000
const ASK_MS = 1_000
const SHOWN = 10

interface View {
  readonly name: string
  readonly state: string
  readonly text: string
  readonly reason?: string | null
}

interface Status {
  readonly syncs: readonly View[]
  readonly served: readonly View[]
}

interface Job {
  readonly title: string
  readonly progress: unknown
}

/** Waits until all ends are alike, and says yes where a guard asks a person. */
export class Rest {
  readonly #devices: readonly Device[]
  readonly #note: (text: string) => void
  #forced = 0
  #longestMs = 0

  constructor(devices: readonly Device[], note: (text: string) => void) {
    this.#devices = devices
    this.#note = note
  }

  get counts(): { readonly forced: number; readonly longestRestMs: number } {
    return { forced: this.#forced, longestRestMs: Math.round(this.#longestMs) }
  }

  /** @throws when it does not come to rest, with what differs */
  async reach(): Promise<void> {
    for (const device of this.#devices) await device.start()
    const began = performance.now()
    let changed = began
    let last = ''
    for (;;) {
      const views = await this.#views()
      let now = views.map(v => `${v.name}: ${v.state}, ${v.text}`).join('\n  ')
      if (views.some(v => v.state === 'running')) now += await this.#progress()
      if (views.every(v => v.state === 'converged' || v.state === 'served')) {
        const lines = this.#differences()
        if (lines.length === 0) break
        now = `${lines.length} differences:\n  ${lines.slice(0, SHOWN).join('\n  ')}`
      }
      if (now !== last) changed = performance.now()
      last = now
      if (performance.now() - changed > LATEST_MS) throw new Error(`it does not come to rest:\n  ${last}`)
      await sleep(ASK_MS)
    }
    this.#longestMs = Math.max(this.#longestMs, performance.now() - began)
  }

  /** How far they are: a run of many files says the same of itself for long. */
  async #progress(): Promise<string> {
    let text = ''
    for (const { name, instance } of this.#devices) {
      const { jobs } = (await instance.client.call('job.list', { states: ['running'] })) as { jobs: Job[] }
      for (const { title, progress } of jobs) text += `\n  ${name}: ${title}, ${JSON.stringify(progress)}`
    }
    return text
  }

  async #views(): Promise<View[]> {
    const all: View[] = []
    for (const device of this.#devices) {
      device.ensureAlive()
      const { syncs, served } = (await device.instance.client.call('sync.status', {})) as Status
      all.push(...syncs, ...served)
      for (const view of [...syncs, ...served].filter(v => v.state === 'halted')) {
        this.#note(`${device.name}: ${view.name} is halted (${view.text}): a person says yes`)
        this.#forced++
        const driven = syncs.includes(view)
        await device.instance.run('sync', ...(driven ? ['run', view.name, '--force'] : ['allow', view.name]))
      }
    }
    return all
  }

  #differences(): string[] {
    try {
      const [first, ...others] = this.#devices.map(d => lookAt(d.root, d.known))
      return others.flatMap(other => differences(first!, other))
    } catch (err) {
      // In a line of three, two may be alike while what they did is only about to come to the third.
      const { code, message } = err as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR')
        return [`changes while it is looked at: ${message}`]
      throw err
    }
  }
}
