import { type AbsPath, type LocationId, pathBytes, type RelPath, textFromBytes } from '../base/index.js'
import { type IndexLocation, type IndexMode, parseRules } from '../indexer/index.js'
import type { Library } from '../libraries/index.js'
import type { SqlValue } from '../sql/index.js'
import type { VolumeId } from '../volumes/index.js'
import type { Activity, Freshness, Location } from './location.js'

interface Raw {
  [column: string]: SqlValue
}

const COLUMNS = `id, uuid, path, name, entry, root_inode, root_birth_ns, volume, volume_path, mode, watch, rules, versioned,
  activity, freshness, problem_code, problem, last_scan_at, last_full_scan_at, added_at`

/** This device's locations of a library, in the order of adding. */
export function readLocations(library: Library): Location[] {
  return library.database
    .all<Raw>(`SELECT ${COLUMNS} FROM locations WHERE host = ? ORDER BY id`, [library.host], { bigint: true })
    .map(locationOf)
}

export function readLocation(library: Library, id: LocationId): Location | undefined {
  const raw = library.database.get<Raw>(
    `SELECT ${COLUMNS} FROM locations WHERE uuid = ? AND host = ?`,
    [id, library.host],
    {
      bigint: true
    }
  )
  return raw === undefined ? undefined : locationOf(raw)
}

/** What the indexer needs of it. */
export function indexLocation({ id, number, path, mode, rules, versioned }: Location): IndexLocation {
  return { id, number, path, mode, rules, versioned }
}

function locationOf(raw: Raw): Location {
  const number = (value: SqlValue | undefined): number | null =>
    value === null || value === undefined ? null : Number(value)
  const { root_inode: inode, root_birth_ns: birthNs, problem_code: code } = raw
  return {
    id: raw.uuid as LocationId,
    number: Number(raw.id),
    path: textFromBytes(raw.path as Uint8Array) as AbsPath,
    name: raw.name as string,
    entry: number(raw.entry),
    root:
      typeof inode === 'bigint' && typeof birthNs === 'bigint' ? { inode: BigInt.asUintN(64, inode), birthNs } : null,
    volume: raw.volume as VolumeId | null,
    volumePath: raw.volume_path === null ? null : (textFromBytes(raw.volume_path as Uint8Array) as RelPath),
    mode: raw.mode as IndexMode,
    watch: raw.watch === 1n,
    rules: parseRules(raw.rules as string),
    versioned: raw.versioned === 1n,
    activity: raw.activity as Activity,
    freshness: raw.freshness as Freshness,
    problem: code === null ? null : { code: code as string, message: (raw.problem as string | null) ?? '' },
    lastScanAt: number(raw.last_scan_at),
    lastFullScanAt: number(raw.last_full_scan_at),
    addedAt: Number(raw.added_at)
  }
}

/** Columns that change, as they are written. */
export interface LocationColumns {
  path?: Uint8Array
  name?: string
  root_inode?: bigint | null
  root_birth_ns?: bigint | null
  volume?: string | null
  volume_path?: Uint8Array | null
  mode?: IndexMode
  watch?: number
  rules?: string
  activity?: Activity
  freshness?: Freshness
  problem_code?: string | null
  problem?: string | null
  last_scan_at?: number
  last_full_scan_at?: number
}

/** Inodes are 64 bits without a sign, SQLite's integers have one. */
export function rootColumns(found: {
  identity: { inode: bigint; birthNs: bigint }
  placement: { volume: { id: VolumeId }; within: RelPath } | undefined
}): LocationColumns {
  return {
    root_inode: BigInt.asIntN(64, found.identity.inode),
    root_birth_ns: found.identity.birthNs,
    volume: found.placement?.volume.id ?? null,
    volume_path: found.placement === undefined ? null : pathBytes(found.placement.within)
  }
}
