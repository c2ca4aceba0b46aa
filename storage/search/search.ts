import type { AbortOptions, LocationId } from '../base/index.js'
import type { ContentKind, EntryKind } from '../entries/index.js'
import type { Library } from '../libraries/index.js'

export interface SearchFilters {
  /** Content kinds, or `file`, `folder`, `symlink`. Any of them. */
  readonly kinds?: readonly (ContentKind | 'file' | 'folder' | 'symlink')[]
  /** Lower case, without the dot. Any of them. */
  readonly extensions?: readonly string[]
  readonly largerBytes?: number
  readonly smallerBytes?: number
  readonly modifiedAfterMs?: number
  readonly modifiedBeforeMs?: number
  /** Names of tags; all of them. */
  readonly tags?: readonly string[]
  /** Labels by their path; all of them, each borne itself or by a narrower one. */
  readonly labels?: readonly string[]
  readonly favorite?: boolean
  /** Only what people hid; otherwise that, and what lies below such a folder, is left out. */
  readonly hidden?: boolean
  /** Id of a location of this library, or of the one that the instance keeps for itself. */
  readonly location?: string
  /** Only files whose content another file has as well; those with one content stand together. */
  readonly duplicates?: boolean
  /** Also what the rules leave out, and what people hid. */
  readonly excluded?: boolean
}

export interface SearchRequest {
  readonly text: string
  readonly filters?: SearchFilters
  /** Default 50, at most MAX_LIMIT. */
  readonly limit?: number
  /** Results passed over: page 2 is `limit`. At most MAX_OFFSET. */
  readonly offset?: number
}

export interface SearchHit {
  /** Null: no entry, found by what people said of it alone. */
  readonly id: number | null
  readonly uuid: string | null
  /** Absolute, as text that carries every byte (storage/base/paths). */
  readonly path: string
  readonly name: string
  readonly kind: EntryKind
  readonly type: ContentKind
  readonly sizeBytes: number
  readonly modifiedMs: number
  readonly hash: string | null
  readonly tags: readonly string[]
  readonly labels: readonly string[]
  readonly favorite: boolean
  readonly hidden: boolean
  readonly location: { readonly id: LocationId; readonly name: string } | null
  /** False: its disk is away, it lies on another device (`device`), or it is gone (and only what was said of it is left). */
  readonly available: boolean
  readonly device: string | null
}

export interface SearchAnswer {
  readonly hits: readonly SearchHit[]
  /** There is another page. */
  readonly more: boolean
  readonly tookMs: number
}

export interface Search {
  /** @throws BAD_INPUT for a filter that names an unknown tag, label or location, `signal.reason` */
  search(library: Library, request: SearchRequest, options?: AbortOptions): Promise<SearchAnswer>
}

export const DEFAULT_LIMIT = 50
/** One page: what a terminal or a window shows; rows are paged on. */
export const MAX_LIMIT = 1_000
/** Deeper pages would be looked through again from the beginning. */
export const MAX_OFFSET = 10_000
