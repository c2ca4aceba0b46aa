import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Instance } from '../instance.js'
import type { Known } from './look.js'

const GONE_MS = 20

/** What of the machine a daemon holds. */
export interface Held {
  readonly residentMiB: number
  readonly openFiles: number
}

/** A device of the soak: a daemon as a process of its own that can be ended in every way, and the folder that is kept in step. */
export class Device {
  readonly instance: Instance
  readonly root: string
  readonly known: Known = new Map()
  readonly #port: number
  #pid: number | undefined
  #stopped = false

  constructor(name: string, dir: string, port: number) {
    this.instance = new Instance(name, join(dir, 'data'))
    this.root = join(dir, name)
    this.#port = port
  }

  get name(): string {
    return this.instance.name
  }

  get up(): boolean {
    return this.#pid !== undefined && !this.#stopped
  }

  /** The same port at each start: with all discovery off the others find it at the address they know. */
  async start(): Promise<void> {
    if (this.#stopped) this.wake()
    if (this.#pid !== undefined) return
    await this.instance.start(`/ip4/127.0.0.1/tcp/${this.#port}`)
    const { pid } = (await this.instance.client.call('system.status', {})) as { pid: number }
    this.#pid = pid
  }

  async stop(): Promise<void> {
    if (this.#stopped) this.wake()
    const pid = this.#pid
    if (pid === undefined) return
    this.#pid = undefined
    await this.instance.json('stop')
    await gone(pid)
  }

  async kill(): Promise<void> {
    const pid = this.#pid
    if (pid === undefined) return
    this.#pid = undefined
    this.#stopped = false
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      return // it ended by itself: `ensureAlive` tells
    }
    await gone(pid)
  }

  /** As a laptop whose lid is closed: connections stand, nobody answers. */
  sleep(): void {
    if (this.#pid === undefined) return
    process.kill(this.#pid, 'SIGSTOP')
    this.#stopped = true
  }

  wake(): void {
    if (this.#pid !== undefined) process.kill(this.#pid, 'SIGCONT')
    this.#stopped = false
  }

  /** Ends each connection with it. @returns false where this system cannot */
  cut(): boolean {
    const here = ['( sport = :PORT or dport = :PORT )'.replaceAll('PORT', String(this.#port))]
    return spawnSync('ss', ['-K', 'state', 'established', ...here], { stdio: 'ignore' }).status === 0
  }

  /** @throws when a daemon that nobody ended is gone */
  ensureAlive(): void {
    if (this.#pid === undefined) return
    try {
      process.kill(this.#pid, 0)
    } catch {
      throw new Error(`the daemon of ${this.name} ended by itself`)
    }
  }

  held(): Held {
    const proc = `/proc/${this.#pid}`
    const [, resident] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`${proc}/status`, 'utf8')) ?? []
    return { residentMiB: Math.round(Number(resident) / 1024), openFiles: readdirSync(`${proc}/fd`).length }
  }
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await sleep(GONE_MS)
  }
}
