/** Guards of identity (SYNC.md 4 and 6): whether the ends are the folders that the archive speaks of. Nothing forces them. */
import { type AbortOptions, displayPath, hasCode } from '../../storage/base/index.js'
import type { Marker } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Endpoint } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'

export type IdentityReason =
  | 'root-missing'
  | 'root-replaced'
  | 'root-not-a-folder'
  | 'marker-missing'
  | 'marker-damaged'
  | 'marker-foreign'
  | 'same-root'
  | 'rolled-back'
  /** The other device takes no part in it (any more). */
  | 'refused'

/** Why a session did not begin. */
export interface IdentityHalt {
  readonly reason: IdentityReason
  /** undefined: both ends, or the database of this device. */
  readonly end: End | undefined
  /** What is the matter, with what: half a sentence. */
  readonly message: string
  /** What a person can do. */
  readonly hint: string
}

/** What the instance database knows of the markers. */
export interface KnownCounters {
  /** The last batch that was done at every end. */
  readonly batch: number
  /** One that was begun after it; else the same. */
  readonly begun: number
  /** Ids of the roots; null: nothing was ever written there. */
  readonly roots: Readonly<Record<End, string | null>>
}

export type FoundMarker = Marker | 'damaged' | undefined

interface CounterRow {
  batch: number
  begun: number
  source_root: string | null
  destination_root: string | null
}

export function knownCounters(db: Database, sync: number): KnownCounters {
  const row = db.get<CounterRow>('SELECT batch, begun, source_root, destination_root FROM syncs WHERE id = ?', [sync])
  return {
    ...{ batch: row?.batch ?? 0, begun: row?.begun ?? 0 },
    roots: { source: row?.source_root ?? null, destination: row?.destination_root ?? null }
  }
}

/** Reads the markers of both ends; nothing is written. */
export async function findMarkers(
  ends: Readonly<Record<End, Endpoint>>,
  options: AbortOptions
): Promise<Record<End, FoundMarker>> {
  const find = (end: End): Promise<FoundMarker> =>
    markerOf(ends[end], options).catch(err => {
      if (hasCode(err, 'MARKER_DAMAGED')) return 'damaged'
      throw err
    })
  const [source, destination] = await Promise.all(ENDS.map(find))
  return { source, destination }
}

/** Nothing is written. @throws {SpacedriveError} MARKER_DAMAGED */
export async function markerOf({ local, sync }: Endpoint, options: AbortOptions): Promise<Marker | undefined> {
  return local === undefined ? sync?.marker(options) : local.marker(options)
}

export interface MarkersInit {
  /** Of the sync: what it is called in the markers. */
  readonly uuid: string
  readonly writable: readonly End[]
  readonly known: KnownCounters
  readonly markers: Readonly<Record<End, FoundMarker>>
  /** The ends for people. */
  readonly shown: Readonly<Record<End, string>>
}

/** Whether the ends are the folders that the archive speaks of, in the state it speaks of. */
export function judgeMarkers({ uuid, writable, known, markers, shown }: MarkersInit): IdentityHalt | undefined {
  for (const end of writable) {
    const [found, root] = [markers[end], known.roots[end]]
    const it = displayPath(shown[end])
    if (found === 'damaged') {
      return { reason: 'marker-damaged', end, message: `the marker of ${it} is damaged`, hint: ANEW }
    }
    if (root !== null && found === undefined) {
      return {
        reason: 'marker-missing',
        end,
        message: `the marker of ${it} (.spacedrive/root.json) is gone`,
        hint: ANEW
      }
    }
    if (root !== null && found?.root !== root) {
      return {
        reason: 'marker-foreign',
        end,
        message: `${it} is another folder than the one that was synced`,
        hint: ANEW
      }
    }
  }
  const [source, destination] = [markers.source, markers.destination]
  if (typeof source === 'object' && typeof destination === 'object' && source.root === destination.root) {
    return {
      ...{ reason: 'same-root', end: undefined },
      message: `${shown.source} and ${shown.destination} bear the same marker: one is a copy of the other, or both are one folder`,
      hint: 'If one is a copy, remove `.spacedrive` from it (with the versions that lie there), then `sync remove` and `sync add` anew.'
    }
  }
  return rolledBack({ uuid, writable, known, markers, shown })
}

/** From the last batch that was done to the last that was begun goes on; anything else was put back. */
function rolledBack({ uuid, writable, known, markers, shown }: MarkersInit): IdentityHalt | undefined {
  for (const end of writable) {
    const count = countOf(markers[end], uuid)
    if (count >= known.batch && count <= Math.max(known.batch, known.begun)) continue
    const behind = count < known.batch
    return {
      ...{ reason: 'rolled-back', end: behind ? end : undefined },
      message: behind
        ? `${shown[end]} was put back to an earlier state: it holds batch ${count} of this sync, and ${known.batch} were done`
        : `the database of this device was put back to an earlier state: it knows batch ${known.batch} of this sync, and ${shown[end]} holds ${count}`,
      hint: '`sync run NAME --accept-rollback` goes on as if for the first time: both ends get what the other has, nothing is deleted.'
    }
  }
  return undefined
}

/** From which number on counting goes on after a person accepted that something was put back. */
export function acceptedCounter({ uuid, known, markers }: Pick<MarkersInit, 'uuid' | 'known' | 'markers'>): number {
  return Math.max(known.batch, known.begun, ...ENDS.map(end => countOf(markers[end], uuid)))
}

const countOf = (marker: FoundMarker, uuid: string): number =>
  typeof marker === 'object' ? (marker.syncs[uuid] ?? 0) : 0

const ANEW = 'Put back what was there, or `sync remove` and `sync add` anew: files stay.'
