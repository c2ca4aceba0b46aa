/** An end as a transition needs it. */
import type { AbortOptions } from '../../storage/base/index.js'
import type { Capabilities, FileRoot, PlaceResult, Staging } from '../../storage/files/index.js'
import type { Endpoint, EndpointStage, EndVectors, StepNote } from '../endpoints/index.js'
import type { DoneBatch, VersionLine } from '../versions/index.js'
import type { Step } from './achieved.js'
import type { StageOptions, Wanted } from './stage-content.js'

/** Keeps what is replaced or removed at an end. */
export interface VersionKeeper {
  record(lines: readonly Omit<VersionLine, 'atMs'>[], options?: AbortOptions): Promise<unknown>
  /** @param done - the batch that was done: see `VersionStore.keep` */
  keep(done: DoneBatch, options?: AbortOptions): Promise<unknown>
}

/**
 * Gives names at an end, where what is replaced or removed is kept. A batch that is begun is done to its end, whoever cancels: what it
 * replaced is in the versions then, and what it did is written down.
 */
export type Placing = (batch: PlacedBatch, options?: AbortOptions) => Promise<readonly PlaceResult[]>

export interface PlacedBatch {
  readonly run: string
  readonly steps: readonly Step[]
  /** What is to be written down before it is done. */
  readonly lines: readonly Omit<VersionLine, 'atMs'>[]
  /** All or nothing. */
  readonly group?: number | undefined
  /** What each step makes of versions, where they are kept. */
  readonly notes?: readonly StepNote[] | undefined
  /** Writes down that it begins: durable before anything gets or loses its name. */
  begin(): Promise<void>
  /** Nobody needs to make durable what lies staged: `Staging.makeDurable` did. */
  readonly stagedDurable?: boolean | undefined
}

export interface TransitionEnd {
  readonly endpoint: Endpoint
  /** Unless this end is never written. */
  readonly stage: EndpointStage | undefined
  /** Where it is a folder of this device: for content from another one. */
  readonly here?: { readonly root: FileRoot; readonly staging: Staging } | undefined
  /** Undefined: this end is never written. */
  readonly place: Placing | undefined
  readonly capabilities: Pick<Capabilities, 'keepsIdentity'>
  /** What lies at that end already is staged there; what is answered comes from the other end. */
  readonly stageOwn?: ((wanted: readonly Wanted[], options: StageOptions) => Promise<readonly Wanted[]>) | undefined
  /** Of a device that keeps its folder to this run: see `SyncedEnd.gotOn`. */
  readonly gotOn?: (() => void) | undefined
  /** Undefined: no versions are kept. */
  readonly vectors?: Pick<EndVectors, 'learn'> | undefined
}
