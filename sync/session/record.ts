import type { AbsPath, DeviceId, RelPath } from '../../storage/base/index.js'
import { type ConflictPolicy, ENDS, type End, type HaltedBefore, type Mode } from '../reconcile/index.js'
import { BACKUP_POLICY, DEFAULT_POLICY, parsePolicy, type VersionPolicy } from '../versions/index.js'

/** Where an end of a sync is, and which folder it was when the sync was made, or last known to be. */
export interface SyncEnd {
  /** Where it lies; null: on this device. */
  readonly device: DeviceId | null
  /** On that device. */
  readonly path: AbsPath
  /** Empty while the other device has not accepted it. */
  readonly inode: string
  readonly birthNs: string
  /** Fingerprint of its volume; null where the system tells none. */
  readonly volume: string | null
  /** Its path within that volume: where it is found when the volume is mounted elsewhere. */
  readonly within: RelPath | null
}

export interface SyncOptions {
  /** Patterns of `--ignore`. */
  readonly ignore: readonly string[]
  readonly maxDeletePercent: number
  /** Only `sync run` runs it. */
  readonly manual: boolean
  /** How long versions are kept, as `formatPolicy` writes it; left out: as its mode has it. */
  readonly versions?: string | undefined
}

export interface Sync extends SyncOptions {
  readonly id: number
  readonly uuid: string
  readonly name: string
  readonly mode: Mode
  readonly policy: ConflictPolicy
  readonly source: SyncEnd
  readonly destination: SyncEnd
  readonly addedAtMs: number
  readonly paused: boolean
  /** Why the program paused it, in words; null: a person did, or it is not paused. */
  readonly pausedBecause: string | null
  /** What a person may say yes to. */
  readonly halted: HaltedBefore | undefined
  /** How it stands with the other device; undefined: both ends lie here. */
  readonly agreement: Agreement | undefined
  /** It has agreed on something: what is held at an end was in the other one, too. */
  readonly agreed: boolean
}

/**
 * How a sync with another device stands there: `asked`: nobody there has answered; `ended`: that device takes no part in it any
 * more.
 */
export type Agreement = 'asked' | 'accepted' | 'declined' | 'ended'

/** A folder of another device. */
export interface FarFolder {
  readonly device: DeviceId
  readonly path: AbsPath
}

/** A new sync, as it is asked for. */
export interface SyncSpec extends SyncOptions {
  readonly name: string
  readonly source: AbsPath | FarFolder
  /** Made when its parent exists; on another device when that is accepted. */
  readonly destination: AbsPath | FarFolder
  readonly mode: Mode
  readonly policy: ConflictPolicy
}

export interface RawSync {
  readonly [column: string]: string | number | null
}

/** A row of `syncs`. What an older version of the program left out is as it was then. */
export function syncOf(raw: RawSync): Sync {
  const options = JSON.parse(raw.options as string) as Partial<SyncOptions>
  const end = (column: End): SyncEnd => {
    const {
      device = null,
      volume = null,
      within = null,
      ...rest
    } = JSON.parse(raw[column] as string) as Partial<SyncEnd>
    return { ...(rest as SyncEnd), device, volume, within }
  }
  return {
    ...{ id: raw.id as number, uuid: raw.uuid as string, name: raw.name as string },
    ...{ mode: raw.mode as Mode, policy: raw.policy as ConflictPolicy },
    ...{ source: end('source'), destination: end('destination') },
    ...{ ignore: [], maxDeletePercent: 0, manual: false, ...options },
    ...{ addedAtMs: raw.added_at as number, paused: raw.paused === 1, agreed: raw.archive === 1 },
    agreement: (raw.agreement as Agreement | null) ?? undefined,
    pausedBecause: raw.paused_because as string | null,
    halted: raw.halted === null ? undefined : (JSON.parse(raw.halted as string) as HaltedBefore)
  }
}

/** Ends that a sync of this mode writes to. */
export const writableEnds = (mode: Mode): readonly End[] =>
  mode === 'bidirectional' ? ['source', 'destination'] : ['destination']

/** How long what this sync replaces or deletes is kept. */
export function versionPolicyOf({ versions, mode }: Pick<Sync, 'versions' | 'mode'>): VersionPolicy {
  const said = versions === undefined ? undefined : parsePolicy(versions)
  if (said !== undefined && 'kind' in said) return said
  return mode === 'backup' ? BACKUP_POLICY : DEFAULT_POLICY
}

/** The end that lies on another device, and which it is. */
export function farEnd(
  sync: Readonly<Record<End, SyncEnd>>
): { readonly at: End; readonly device: DeviceId } | undefined {
  for (const at of ENDS) {
    const { device } = sync[at]
    if (device !== null) return { at, device }
  }
  return undefined
}

/** One text for each folder, on whichever device. */
export const endKey = ({ device, path }: Pick<SyncEnd, 'device' | 'path'>): string =>
  device === null ? path : `${device}:${path}`
