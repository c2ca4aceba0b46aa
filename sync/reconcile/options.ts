import type { RelPath } from '../../storage/base/index.js'
import type { End, Row } from './entry.js'

export type Mode = 'replica' | 'mirror' | 'backup' | 'bidirectional'
export const MODES: readonly Mode[] = ['replica', 'mirror', 'backup', 'bidirectional']

export type ConflictPolicy = 'keep-both' | 'newer' | 'larger' | 'source' | 'destination' | 'prompt'
export const POLICIES: readonly ConflictPolicy[] = ['keep-both', 'newer', 'larger', 'source', 'destination', 'prompt']

/** What an end can hold, as probed once per root. */
export interface EndCapabilities {
  readonly foldsCase: boolean
  readonly foldsUnicode: boolean
  /** What a time set there comes back rounded to; 1 where exact. */
  readonly timeStepNs: bigint
  readonly symlinks: boolean
  /** Permission bits can be set. */
  readonly modes: boolean
  /** Any bytes make a name; else only valid UTF-8. */
  readonly anyBytes: boolean
  readonly maxNameBytes: number
  /** Characters that no name may hold there: `"*:<>?\|` on FAT. */
  readonly refusedCharacters: string
  /** Characters that no name may end in there: `. ` on FAT. */
  readonly refusedEnds: string
  /** Names that are kept for this program there. */
  readonly refusedNames: readonly string[]
}

export interface ReconcileOptions {
  readonly mode: Mode
  readonly policy: ConflictPolicy
  /** Of single conflicts, by their path: in the place of the policy. */
  readonly answers?: ReadonlyMap<RelPath, ConflictPolicy> | undefined
  /** An archive that holds something stands behind the rows. Without: the first run, or it was lost; then nothing is deleted. */
  readonly archive: boolean
  readonly source: EndCapabilities
  readonly destination: EndCapabilities
  /** Names of the devices at the ends, for conflict copies whose maker no version tells. */
  readonly devices: Readonly<Record<End, string>>
  /** Names of the devices behind the replicas that versions count. */
  readonly replicas?: { get(replica: string): string | undefined }
  /** A device whose clock is more than a minute off: `newer` would be decided by it. */
  readonly clockSkewed?: boolean
  /** The source holds nothing at all: then a first mirror deletes nothing. */
  readonly sourceEmpty?: boolean
  /** A disk or a database was put back, and a person said to go on: then nothing is deleted, in mirror mode too. */
  readonly union?: boolean
  /** Whether the rules would ignore this path. Without rules: no. */
  readonly ignores?: (path: RelPath) => boolean
}

/**
 * The rows to decide on. `changed` lists, in the order of `comparePaths`, every path at which archive, source and
 * destination are not all alike (versions and ignored things count), and every path left unsettled; docs/reconcile.md says
 * what may be left out below a directory that moved. It is iterated several times and must tell the same each time.
 */
export interface Rows {
  changed(): Iterable<Row>
  /** Any one path, listed or not. */
  find(path: RelPath): Row | undefined
  /** Of what is not listed that which `wanted` says yes to. Asked where an end folds names, and something new is to get one. */
  unlisted?(wanted: (path: RelPath) => boolean): Iterable<Row>
}

/** A file system like any Linux one. */
export const PLAIN_END: EndCapabilities = {
  foldsCase: false,
  foldsUnicode: false,
  timeStepNs: 1n,
  symlinks: true,
  modes: true,
  anyBytes: true,
  maxNameBytes: 255,
  refusedCharacters: '',
  refusedEnds: '',
  refusedNames: []
}
