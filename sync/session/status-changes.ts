import type { EventBus, Startable } from '../../storage/base/index.js'
import type { Sync } from './record.js'
import type { Standing, SyncStatus } from './status.js'

export interface StatusChangesInit {
  readonly events: EventBus
  list(): readonly Sync[]
  find(uuid: string): Sync | undefined
  status(sync: Sync): SyncStatus
  standing(sync: Sync): Standing
}

/** A session that is a job is part of how its sync stands. */
const OF_JOBS = ['queued', 'started', 'paused', 'resumed', 'completed', 'failed', 'cancelled'] as const

/**
 * Tells how a sync stands each time that is otherwise than it was told last: nobody has to ask again and again. It looks when a
 * run ended, when a job of a sync moves, and when it is called; the phases of a session are told by its job.
 */
export class StatusChanges implements Startable {
  readonly #init: StatusChangesInit
  readonly #told = new Map<string, string>()
  #off: (() => void)[] = []

  constructor(init: StatusChangesInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    const { events, list } = this.#init
    this.#off = [
      events.on('sync:finished', ({ sync }) => this.look(sync)),
      events.on('sync:removed', ({ sync }) => void this.#told.delete(sync)),
      ...OF_JOBS.map(state =>
        events.on(`job:${state}`, ({ kind }) => {
          if (kind.startsWith('sync')) for (const sync of list()) this.#look(sync)
        })
      )
    ]
  }

  async stop(): Promise<void> {
    for (const off of this.#off) off()
    this.#off = []
    this.#told.clear()
  }

  /** Something happened to this sync: tells it if it shows. */
  look(uuid: string): void {
    if (this.#off.length === 0) return
    const sync = this.#init.find(uuid)
    if (sync !== undefined) this.#look(sync)
  }

  #look(sync: Sync): void {
    const { events, status, standing } = this.#init
    const { uuid } = sync
    const { state, reason, text } = status(sync)
    const { state: how, note, working } = standing(sync)
    const now = { state, ...(reason !== undefined && { reason }), standing: how, working }
    const key = JSON.stringify([now, note, state === 'running' ? '' : text])
    if (this.#told.get(uuid) === key) return
    this.#told.set(uuid, key)
    events.emit('sync:changed', { sync: uuid, name: sync.name, ...now, text, ...(note !== undefined && { note }) })
  }
}
