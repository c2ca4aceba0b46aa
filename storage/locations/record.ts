import { type AbsPath, type Clock, type EventBus, type LocationId, pathBytes, SpacedriveError } from '../base/index.js'
import type { Library } from '../libraries/index.js'
import type { Location } from './location.js'
import { locationTasks } from './locations.worker.js'
import { type LocationColumns, readLocation } from './row.js'

/** The row of one location, as it is and as it changes. */
export class LocationRecord {
  readonly library: Library
  readonly #clock: Clock
  readonly #events: EventBus
  #location: Location

  constructor(library: Library, location: Location, { clock, events }: { clock: Clock; events: EventBus }) {
    this.library = library
    this.#location = location
    this.#clock = clock
    this.#events = events
  }

  get id(): LocationId {
    return this.#location.id
  }

  get location(): Location {
    return this.#location
  }

  async save(changes: LocationColumns): Promise<void> {
    await this.library.database.write(locationTasks.saveLocation, { uuid: this.id, changes, at: this.#clock.nowMs() })
    this.#reload()
  }

  /** The disk came back at another place. */
  async relocate(path: AbsPath, changes: LocationColumns): Promise<void> {
    const { database, host } = this.library
    const input = { uuid: this.id, host, path: pathBytes(path), changes, at: this.#clock.nowMs() }
    await database.write(locationTasks.relocate, input)
    this.#reload()
  }

  /** True when the index holds anything below it. */
  hadEntries(): boolean {
    const { entry } = this.#location
    if (entry === null) return false
    const sums = this.entries()
    return sums !== undefined && sums > 0
  }

  /** Files and directories below it as the index has them; undefined before it was looked at. */
  entries(): number | undefined {
    const { entry } = this.#location
    if (entry === null) return undefined
    const row = this.library.database.get<{ n: number }>('SELECT files + dirs AS n FROM directories WHERE id = ?', [
      entry
    ])
    return row?.n
  }

  /** The indexer writes to the row too: its entry. */
  refresh(): void {
    this.#location = readLocation(this.library, this.id) ?? this.#location
  }

  #reload(): void {
    const now = readLocation(this.library, this.id)
    if (now === undefined) throw new SpacedriveError('LOCATION_NOT_FOUND', 'the location was removed')
    const before = this.#location
    this.#location = now
    const { activity, freshness } = now
    if (JSON.stringify(told(before)) !== JSON.stringify(told(now))) {
      this.#events.emit('location:updated', { library: this.library.id, location: this.id, activity, freshness })
    }
  }
}

/** What is worth an event. */
function told({ path, name, mode, watch, rules, activity, freshness, problem, lastScanAt }: Location): unknown[] {
  return [path, name, mode, watch, rules, activity, freshness, problem, lastScanAt]
}
