import { type AbsPath, type DeviceId, textFromBytes } from '../../storage/base/index.js'
import type { End, Mode } from '../reconcile/index.js'
import type { Taken } from './guards.js'

/** A sync that another device drives, of which one end lies here: asked for, or accepted. */
export interface ServedSync {
  readonly id: number
  /** The driver. */
  readonly device: DeviceId
  readonly uuid: string
  /** As the driver calls it. */
  readonly name: string
  readonly mode: Mode
  /** Which end is here. */
  readonly side: End
  /** The other end, for people: as the driver told it. */
  readonly theirs: string
  readonly askedPath: string
  readonly askedAtMs: number
  /** The folder that it is about; undefined: nobody here has accepted it. */
  readonly folder: { readonly path: AbsPath; readonly inode: string; readonly birthNs: string } | undefined
  /** When that was, by the clock here; undefined: not yet. */
  readonly acceptedAtMs: number | undefined
  /** How long versions are kept, as `formatPolicy` writes it; null: as its mode has it. */
  readonly versions: string | null
  /** More than this share of its files gone is stopped here; undefined: as delivered. */
  readonly maxDeletePercent: number | undefined
  readonly paused: boolean
  /** A run went through. */
  readonly agreed: boolean
  /** Counted at some moment. */
  readonly counted: { readonly files: number; readonly atMs: number } | undefined
  readonly windowFromMs: number
  /** What a guard here stopped. */
  readonly halted: Taken | undefined
  /** What a person here said yes to. */
  readonly allowed: Taken | undefined
  readonly lastRunAtMs: number | undefined
  /** When both ends were last compared whole and held the same; undefined once something was changed here since. */
  readonly settledAtMs: number | undefined
}

export interface RawServed {
  readonly [column: string]: string | number | Uint8Array | null
}

export function servedOf(raw: RawServed): ServedSync {
  const taken = (column: string): Taken | undefined =>
    raw[column] === null ? undefined : (JSON.parse(raw[column] as string) as Taken)
  const { path, files } = raw
  return {
    ...{ id: raw.id as number, device: raw.device as DeviceId, uuid: raw.uuid as string, name: raw.name as string },
    ...{ mode: raw.mode as Mode, side: raw.side as End, theirs: raw.theirs as string },
    ...{ askedPath: textFromBytes(raw.asked_path as Uint8Array), askedAtMs: raw.asked_at as number },
    folder:
      path === null
        ? undefined
        : {
            path: textFromBytes(path as Uint8Array) as AbsPath,
            ...{ inode: raw.inode as string, birthNs: raw.birth as string }
          },
    acceptedAtMs: (raw.accepted_at as number | null) ?? undefined,
    ...{ versions: raw.versions as string | null, paused: raw.paused === 1, agreed: raw.agreed === 1 },
    maxDeletePercent: (raw.max_delete as number | null) ?? undefined,
    counted: files === null ? undefined : { files: files as number, atMs: raw.counted_at as number },
    ...{ windowFromMs: raw.window_from as number, halted: taken('halted'), allowed: taken('allowed') },
    lastRunAtMs: (raw.last_run_at as number | null) ?? undefined,
    settledAtMs: (raw.settled_at as number | null) ?? undefined
  }
}

/** Who drives may write here. */
export const isWritten = ({ mode, side }: Pick<ServedSync, 'mode' | 'side'>): boolean =>
  side === 'destination' || mode === 'bidirectional'

/** What takes the grant of a sync away again. */
export const madeBySync = (uuid: string): string => `sync:${uuid}`
