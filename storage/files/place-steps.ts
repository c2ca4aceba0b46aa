import type { Problem, RelPath } from '../base/index.js'
import type { EntryStat, Expected } from './fingerprint.js'

/** Something that lies ready in a staging place of the same root. */
export interface StagedSource {
  /** Id of the staging place, open on the same `FileRoot`. */
  readonly staging: string
  readonly path: RelPath
  /** As whoever staged it knows it; where it is left out each is looked at, so that no batch is too large. */
  readonly sizeBytes?: number | undefined
}

/**
 * One change of a name below a root. Steps run in the order given: directories before what they hold, removals last and
 * bottom-up. Parents must exist and are never reached through a symlink.
 *
 * - `create`: what was staged gets a name where nothing stands; EXISTS otherwise.
 * - `replace`: the staged file or link takes the name of what is `expected` there; that goes `aside`.
 * - `remove`: what is `expected` there goes `aside`. Not for directories.
 * - `move`: what is `expected` at `path` gets the name `to`, where nothing may stand. Directories too.
 * - `make-directory`, `remove-directory` (only an empty one).
 * - `attributes`: mode and mtime of what is `expected` there, without touching content.
 */
export type PlaceStep =
  | { readonly kind: 'create'; readonly path: RelPath; readonly from: StagedSource }
  | {
      readonly kind: 'replace'
      readonly path: RelPath
      readonly from: StagedSource
      readonly expected: Expected
      readonly aside: StagedSource
    }
  | { readonly kind: 'remove'; readonly path: RelPath; readonly expected: Expected; readonly aside: StagedSource }
  | { readonly kind: 'move'; readonly path: RelPath; readonly to: RelPath; readonly expected: Expected }
  | { readonly kind: 'make-directory'; readonly path: RelPath; readonly mode?: number; readonly mtimeNs?: bigint }
  | { readonly kind: 'remove-directory'; readonly path: RelPath }
  | {
      readonly kind: 'attributes'
      readonly path: RelPath
      readonly expected: Expected
      readonly mode?: number
      readonly mtimeNs?: bigint
    }

/** What a copy does beside giving names to what is new, by pages of that size: replacements, attributes, sources that go. */
export const MAX_BATCH_STEPS = 1000
/**
 * Everything one call of `FileRoot.place` may do, as the batch of a copy or a sync: bounds what one error makes us do again (SYNC.md 5),
 * and how long a run that is cancelled goes on.
 */
export const MAX_PLACED_STEPS = 4000
/** Content bytes of a batch; one file alone may be larger. */
export const MAX_BATCH_BYTES = 256 * 1024 * 1024

/**
 * What became of a step: `stat` is that of the path afterwards (for the archive and the index: our own rename changed
 * ctime), but never of what somebody wrote to it since (decisions/183); `aside` that of what was moved away. A problem means that the path is as it was, unless `keptAt` says where
 * something that came between was kept (staged, or beside it
 * in the root): whoever gets it must tell the person or make it a conflict.
 */
export type PlaceResult =
  | { readonly done: true; readonly path: RelPath; readonly stat?: EntryStat; readonly aside?: EntryStat }
  | {
      readonly done: false
      readonly path: RelPath
      readonly problem: Problem
      readonly keptAt?: StagedSource | RelPath
    }
