/** What an end on another device keeps of what syncs replaced or deleted there, told and brought back there to the driver of one. */
import type { AbortOptions, ContentHash, Problem, RelPath } from '../../storage/base/index.js'
import type { Endpoint } from './endpoint.js'
import type { EndpointStage } from './stage.js'

/** Contents by `ab/HASH`, to be read. */
export type KeptContents = Pick<Endpoint, 'look' | 'readPack' | 'read'> &
  Partial<Pick<Endpoint, 'blocks' | 'hashStart'>>

export type KeptPage =
  /** First of all, once: that device's clock, and how far back what it tells reaches; without `reach` nothing is kept. */
  | {
      readonly kind: 'reach'
      readonly nowMs: number
      readonly reach?: { readonly begunMs: number; readonly sinceMs: number; readonly thinnedMs: number } | undefined
    }
  /** Lines as the lists there have them (sync/versions/line.ts), newest first. */
  | { readonly kind: 'lines'; readonly texts: readonly string[] }

/** A kept content that is to be staged where it lies. */
export interface KeptWanted {
  readonly hash: ContentHash
  readonly sizeBytes: number
  readonly mode: number
  readonly mtimeNs: bigint
  /** Its name in the stage. */
  readonly staged: RelPath
}

/** The versions of an end that was opened for a sync which writes there: those of since that device accepted it. */
export interface EndpointKept {
  /**
   * @param options.contents - they will be asked for; else none that only this answer tells of can be had
   * @throws {SpacedriveError} TOO_MANY: more contents than can be asked for; CHANGED: they were being thinned, ask again
   */
  lines(options?: { readonly contents?: boolean } & AbortOptions): AsyncIterable<KeptPage>
  /** What was told of. */
  readonly contents: KeptContents
  /** Copies what was told of into the stage of the sync there: it does not travel. @returns what could not be, by index */
  stage(
    stage: EndpointStage,
    files: readonly KeptWanted[],
    options?: AbortOptions
  ): Promise<ReadonlyMap<number, Problem>>
}
