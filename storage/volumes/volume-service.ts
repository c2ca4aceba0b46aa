import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  displayPath,
  type EventBus,
  type Logger,
  pathBytes,
  type RelPath,
  SpacedriveError,
  type Startable,
  textFromBytes,
  toError,
  type WorkerPool
} from '../base/index.js'
import type { Database } from '../sql/index.js'
import { describeVolumes, isVolume, mountOf, readMounts } from './detect.js'
import { identifying } from './identify.worker.js'
import { boundaryOf, locate, pathWithin, realPathOf } from './placement.js'
import { SpeedTests } from './speed-test.js'
import type { Mount, Placement, TrackedVolume, Volume, VolumeId, VolumeSpeed } from './volume.js'
import { type VolumeRow, volumeWrites } from './volumes.worker.js'

export interface VolumeComponents {
  readonly database: Database
  readonly events: EventBus
  readonly clock: Clock
  readonly pool: WorkerPool
  readonly log: Logger
}

export interface Volumes extends Startable {
  /** What is mounted now. `all`: memory disks and overlays too. */
  list(options?: { all?: boolean }): Promise<readonly Volume[]>
  /** The volume that a path lies on; links are followed. Undefined for a file system of the kernel. @throws ENOENT */
  volumeOf(path: AbsPath): Promise<Volume | undefined>
  /** Likewise, with the path within the volume. */
  placementOf(path: AbsPath): Promise<Placement | undefined>
  /** Where a path within a volume is now; undefined while the volume, or that part of it, is not mounted. */
  pathOf(id: VolumeId, within: RelPath): Promise<AbsPath | undefined>
  /** Whether a rename from one existing place to the other can work: not across bind mounts and subvolumes of one volume. */
  canRename(a: AbsPath, b: AbsPath): Promise<boolean>
  /** Whether two paths lie in one file system, through bind mounts and subvolumes as well (st_dev is not enough for those). */
  sameVolume(a: AbsPath, b: AbsPath): Promise<boolean>
  /** By id, mount point, or name. @throws {SpacedriveError} UNKNOWN_VOLUME, AMBIGUOUS_VOLUME */
  find(what: string): Promise<Volume>
  /** Where file systems of servers are mounted, as of the last look: looking there may take for ever. */
  networkMounts(): readonly AbsPath[]
  tracked(): readonly TrackedVolume[]
  track(id: VolumeId, name?: string): Promise<TrackedVolume>
  /** @returns false when it was not tracked */
  untrack(id: VolumeId): Promise<boolean>
  /** Measures in `dir` (an existing folder) with a file of its own of `bytes`. @throws NO_SPACE, NOT_WRITABLE */
  speedTest(dir: AbsPath, options?: { bytes?: number } & AbortOptions): Promise<VolumeSpeed>
}

/** Comparing /proc/self/mountinfo costs less than a millisecond; a disk is noticed within two seconds. */
const POLL_MS = 2_000

export class VolumeService implements Volumes {
  readonly #components: VolumeComponents
  readonly #speedTests: SpeedTests
  #timer: { clear(): void } | undefined
  #running = false
  #cleaning: Promise<void> | undefined
  #checking: Promise<void> | undefined
  #raw: Uint8Array = new Uint8Array(0)
  #known = new Map<VolumeId, Volume>()

  constructor(components: VolumeComponents) {
    this.#components = components
    this.#speedTests = new SpeedTests(components)
  }

  async start(): Promise<void> {
    this.#running = true
    const { raw, mounts } = await readMounts()
    this.#raw = raw
    this.#known = await this.#look(mounts)
    await this.#seen()
    // Beside the start: a disk that does not answer holds up nothing.
    this.#cleanUp()
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#running = false
    this.#timer?.clear()
    await this.#checking
    await this.#cleaning
  }

  async list({ all = false } = {}): Promise<readonly Volume[]> {
    const { mounts } = await readMounts()
    return this.#describe(mounts.filter(m => isVolume(m, all)))
  }

  async volumeOf(path: AbsPath): Promise<Volume | undefined> {
    return (await this.placementOf(path))?.volume
  }

  async placementOf(path: AbsPath): Promise<Placement | undefined> {
    const real = await realPathOf(path)
    const { mounts } = await readMounts()
    const mount = mountOf(real, mounts)
    if (mount === undefined || !isVolume(mount, true)) return undefined
    const [volume] = await this.#describe(mounts.filter(m => sameDevice(m, mount)))
    return volume === undefined ? undefined : { volume, within: pathWithin(real, mount) }
  }

  async pathOf(id: VolumeId, within: RelPath): Promise<AbsPath | undefined> {
    // What was mounted or unmounted since the last look counts, too; a disk at the place of another may have all numbers of that.
    const { raw } = await readMounts()
    const seen = Buffer.compare(raw, this.#raw) === 0 ? this.#known.get(id) : undefined
    const [now] = seen === undefined ? [] : await this.#describe(seen.mounts)
    const known = now?.id === id ? now : (await this.list({ all: true })).find(v => v.id === id)
    return known === undefined ? undefined : locate(known, within)
  }

  async canRename(a: AbsPath, b: AbsPath): Promise<boolean> {
    const [x, y] = await Promise.all([boundaryOf(a), boundaryOf(b)])
    return x === y
  }

  async sameVolume(a: AbsPath, b: AbsPath): Promise<boolean> {
    const [x, y] = await Promise.all([this.#mountOf(a), this.#mountOf(b)])
    return x !== undefined && y !== undefined && sameDevice(x, y)
  }

  async find(what: string): Promise<Volume> {
    const volumes = await this.list({ all: true })
    const exact = volumes.find(v => v.id === what || v.mountPoints.includes(what as AbsPath))
    if (exact !== undefined) return exact
    const tracked = new Map(this.tracked().map(t => [t.id, t.name]))
    const named = volumes.filter(v => v.name === what || tracked.get(v.id) === what || v.id.startsWith(what))
    if (named.length === 1) return named[0]!
    if (named.length > 1) {
      throw new SpacedriveError('AMBIGUOUS_VOLUME', `${displayPath(what)} could be any of ${named.length} volumes`, {
        hint: `Name one by where it is mounted: ${named.map(v => displayPath(v.mountPoint)).join(', ')}.`
      })
    }
    throw new SpacedriveError('UNKNOWN_VOLUME', `there is no volume ${displayPath(what)} here now`, {
      hint: 'See `spacedrive volume list` for those that are mounted.'
    })
  }

  networkMounts(): readonly AbsPath[] {
    return [...this.#known.values()].filter(v => v.network).flatMap(v => v.mountPoints)
  }

  tracked(): readonly TrackedVolume[] {
    return this.#components.database.all('SELECT * FROM volumes WHERE tracked = 1 ORDER BY name').map(fromRow)
  }

  async track(id: VolumeId, name?: string): Promise<TrackedVolume> {
    const volume = await this.find(id)
    if (!volume.identified) {
      throw new SpacedriveError(
        'NOT_IDENTIFIABLE',
        `the volume at ${displayPath(volume.mountPoint)} has nothing to know it by`,
        {
          hint: 'A file system without a UUID cannot be told from another of the same size; it can be used, not tracked.'
        }
      )
    }
    await this.#components.database.write(volumeWrites.track, this.#row({ ...volume, name: name ?? volume.name }))
    return this.tracked().find(t => t.id === volume.id)!
  }

  untrack(id: VolumeId): Promise<boolean> {
    return this.#components.database.write(volumeWrites.untrack, id)
  }

  async speedTest(dir: AbsPath, options: { bytes?: number } & AbortOptions = {}): Promise<VolumeSpeed> {
    const result = await this.#speedTests.measure(dir, options)
    const volume = await this.volumeOf(dir)
    if (volume !== undefined) {
      await this.#components.database.write(volumeWrites.measured, {
        ...this.#row(volume),
        writeSpeed: result.writeBytesPerSecond,
        readSpeed: result.readBytesPerSecond,
        readCached: result.readCached
      })
    }
    return result
  }

  /** What the system has to be asked for may wait for a disk: in a thread of the pool. */
  #describe(mounts: readonly Mount[]): Promise<Volume[]> {
    return describeVolumes(mounts, path => this.#components.pool.run(identifying.fileSystemId, path))
  }

  async #mountOf(path: AbsPath): Promise<Mount | undefined> {
    return mountOf(await realPathOf(path), (await readMounts()).mounts)
  }

  #schedule(): void {
    if (!this.#running) return
    this.#timer = this.#components.clock.timer(() => {
      this.#checking = this.#check()
    }, POLL_MS)
  }

  async #check(): Promise<void> {
    try {
      const { raw, mounts } = await readMounts()
      if (Buffer.compare(raw, this.#raw) !== 0) {
        const now = await this.#look(mounts)
        if (!this.#running) return
        this.#raw = raw
        await this.#compare(now)
      }
    } catch (err) {
      this.#components.log.warn('could not look for volumes', { error: toError(err).message })
    }
    this.#schedule()
  }

  async #look(mounts: readonly Mount[]): Promise<Map<VolumeId, Volume>> {
    const volumes = await this.#describe(mounts.filter(m => isVolume(m, true)))
    return new Map(volumes.map(v => [v.id, v]))
  }

  async #compare(now: Map<VolumeId, Volume>): Promise<void> {
    const { events } = this.#components
    const before = this.#known
    this.#known = now
    for (const [id, volume] of before) {
      if (!now.has(id)) events.emit('volume:removed', { volume: id, mountPoint: volume.mountPoint })
    }
    for (const [id, volume] of now) {
      const old = before.get(id)
      if (old === undefined) {
        events.emit('volume:added', { volume: id, mountPoint: volume.mountPoint })
        this.#cleanUp()
      } else if (old.readOnly !== volume.readOnly || old.mountPoints.join('\0') !== volume.mountPoints.join('\0')) {
        events.emit('volume:changed', { volume: id, mountPoint: volume.mountPoint })
      }
    }
    await this.#seen()
  }

  /** What speed tests of an earlier process left, where its disk is there now. */
  #cleanUp(): void {
    const before = this.#cleaning
    this.#cleaning = (async () => {
      await before
      await this.#speedTests.cleanLeftovers()
    })().catch(err => {
      this.#components.log.warn('what speed tests left could not be looked for', { error: toError(err).message })
    })
  }

  async #seen(): Promise<void> {
    const here = this.tracked().flatMap(t => {
      const volume = this.#known.get(t.id)
      return volume === undefined ? [] : [this.#row(volume)]
    })
    if (here.length > 0) await this.#components.database.write(volumeWrites.seen, here)
  }

  #row({ id, name, mountPoint, totalBytes }: Volume): VolumeRow {
    return { id, name, mountPoint: pathBytes(mountPoint), totalBytes, nowMs: this.#components.clock.nowMs() }
  }
}

function sameDevice(a: Mount, b: Mount): boolean {
  return a.device !== '' && a.device === b.device && a.fileSystem === b.fileSystem
}

function fromRow(row: Record<string, unknown>): TrackedVolume {
  const base = {
    id: row.id as VolumeId,
    name: row.name as string,
    lastMountPoint: textFromBytes(row.mount_point as Uint8Array) as AbsPath,
    totalBytes: Number(row.total_bytes),
    trackedAtMs: Number(row.tracked_at),
    lastSeenAtMs: Number(row.last_seen_at)
  }
  if (row.speed_at === null) return base
  return {
    ...base,
    speed: {
      writeBytesPerSecond: Number(row.write_speed),
      readBytesPerSecond: Number(row.read_speed),
      readCached: row.read_cached === 1,
      measuredAtMs: Number(row.speed_at)
    }
  }
}
