/** A daemon inside this process, with two folders `a` and `b` beside its data, and one sync of them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Peer } from '../../../node/compose.js'
import type { AbsPath, AnyEvent } from '../../../storage/base/index.js'
import { deadline } from '../../../storage/base/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import type { RunAsked, RunReport, Sync } from '../../../sync/session/index.js'
import { testPeer } from '../../node/peer.js'
import { sharedPool } from '../../shared-pool.js'
import { tempDir } from '../../temp.js'
import { WAIT_MS } from '../../waits.js'
import { look } from './fixture.js'

/** Longer than anything here takes on a busy machine. */

export class TwoFolders {
  readonly #temp = tempDir('sd-two-folders-')
  #peer: Peer | undefined

  constructor() {
    for (const dir of ['a', 'b', 'data']) mkdirSync(this.at(dir), { mode: 0o700 })
  }

  get peer(): Peer {
    if (this.#peer === undefined) throw new Error('not started')
    return this.#peer
  }

  get sync(): Sync {
    return this.peer.syncs.find('notes')
  }

  at(path: string): string {
    return join(this.#temp.path, path)
  }

  put(path: string, text: string): void {
    mkdirSync(join(this.at(path), '..'), { recursive: true })
    writeFileSync(this.at(path), text)
  }

  async start(): Promise<void> {
    this.#peer = await testPeer(this.at('data') as AbsPath, { pool: sharedPool() })
    await this.#peer.start()
  }

  /** @param options.ends - which folders, unless `a` and `b` */
  add(
    mode: Mode,
    { manual = false, ends = ['a', 'b'] }: { manual?: boolean; ends?: [string, string] } = {}
  ): Promise<Sync> {
    const [source, destination] = ends.map(end => this.at(end) as AbsPath)
    return this.peer.syncs.add({
      ...{ name: 'notes', mode, policy: 'keep-both', ignore: [], maxDeletePercent: 50, manual },
      ...{ source: source!, destination: destination! }
    })
  }

  /** A person runs it. */
  async run(asked: RunAsked = {}): Promise<RunReport> {
    const job = await this.peer.syncs.begin(this.sync, asked)
    const { output, error } = await this.peer.jobs.outcome(job)
    if (output === undefined) throw new Error(`it failed: ${JSON.stringify(error)}`)
    return output as unknown as RunReport
  }

  /** Both folders hold the same. */
  same(): boolean {
    return JSON.stringify(look(this.at('a'))) === JSON.stringify(look(this.at('b')))
  }

  status() {
    return this.peer.syncs.status(this.sync)
  }

  /** Looks at once, and again whenever something of a sync is told. */
  async until(what: string, fits: () => boolean): Promise<void> {
    const limit = deadline(WAIT_MS, what)
    let wake = (): void => {}
    const off = this.peer.events.onAny((event: AnyEvent) => {
      if (event.type.startsWith('sync:')) wake()
    })
    limit.signal.addEventListener('abort', () => wake())
    try {
      while (!fits()) {
        if (limit.signal.aborted) throw new Error(`${what} took too long: ${JSON.stringify(this.status())}`)
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    } finally {
      off()
      limit.clear()
    }
  }

  /** Both are alike, and it is at rest. */
  inStep(what = 'being in step'): Promise<void> {
    return this.until(what, () => this.same() && this.status().state === 'converged' && !this.working)
  }

  get working(): boolean {
    return this.peer.syncs.standing(this.sync).working
  }

  async clean(): Promise<void> {
    await this.#peer?.stop()
    this.#temp.clean()
  }
}
