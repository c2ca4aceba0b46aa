import type { RelPath } from '../../storage/base/index.js'
import type { Content, End, Leaf, Present, Trace } from './entry.js'
import type { Version } from './version.js'

/** Why an operation is planned. `why` and the plan show it in words. */
export type Reason =
  | 'created'
  | 'edited'
  | 'deleted'
  | 'moved'
  | 'kind-changed'
  | 'put-back'
  | 'restored'
  | 'extra'
  | 'edit-outlives-deletion'
  | 'conflict-copy'
  | 'conflict-settled'
  | 'metadata'
  | 'holds-something'
  | 'making-room'
  | 'directory-time'

/** Content as the other end has it: at `path` before the plan, at `later` once the plan has moved it there. The hash decides. */
export interface Origin {
  readonly end: End
  readonly path: RelPath
  readonly later?: RelPath
}

interface Step {
  /** Operations are numbered in their order, from 0. */
  readonly id: number
  readonly end: End
  readonly path: RelPath
  readonly reason: Reason
  /** Those without which this one cannot be done. A `remove-directory` besides needs all removals and moves out of it. */
  readonly needs: readonly number[]
  /** All operations of a group happen or none; they stand together and belong in one batch with a journal. */
  readonly group?: number
}

/**
 * - `create`, `make-directory`: where nothing stands.
 * - `replace`: a file or link takes the name of the `expected` one, which goes to versions.
 * - `remove`: of a file or link, to versions. `remove-directory`: of an empty one.
 * - `move`: nothing stands at `to`. `park`: out of the way, to a private place of the executor's; `unpark`: from there to `path`.
 * - `attributes`: permission bits and times alone. `version`: nothing on the disk; the index learns what the entry has seen.
 */
export type Operation =
  | (Step & {
      readonly kind: 'create'
      readonly content: Leaf
      readonly mode: number
      readonly mtimeNs: bigint
      readonly from: Origin
      readonly version?: Version
    })
  | (Step & {
      readonly kind: 'replace'
      readonly expected: Leaf
      readonly content: Leaf
      readonly mode: number
      readonly mtimeNs: bigint
      readonly from: Origin
      readonly version?: Version
    })
  | (Step & {
      readonly kind: 'make-directory'
      readonly mode: number
      readonly mtimeNs: bigint
      readonly version?: Version
    })
  | (Step & { readonly kind: 'remove'; readonly expected: Leaf; readonly version?: Version })
  | (Step & { readonly kind: 'remove-directory'; readonly expected: Present; readonly version?: Version })
  | (Step & { readonly kind: 'move'; readonly to: RelPath; readonly expected: Present; readonly version?: Version })
  | (Step & { readonly kind: 'park'; readonly expected: Present })
  | (Step & { readonly kind: 'unpark'; readonly parked: number; readonly version?: Version })
  | (Step & {
      readonly kind: 'attributes'
      readonly mode?: number
      readonly mtimeNs?: bigint
      /** A file or link must still be this. A directory changes with what comes into it. */
      readonly seen?: Leaf
    })
  | (Step & { readonly kind: 'version'; readonly version: Version })

type Distribute<T> = T extends unknown ? Omit<T, 'id' | 'needs' | 'group'> : never
export type OperationInit = Distribute<Operation>

export type ProblemCode =
  /** The end cannot hold it: the name, or links. */
  | 'cannot-hold'
  /** The end takes two names for one. */
  | 'names-alike'
  /** Something unknown stands there. */
  | 'unknown'
  /** It was not looked at, or it would have to go below what cannot be done. */
  | 'parent'

/** What an end shows afterwards: what it shows now, or what an operation made of it. */
export type Shown = { readonly now: Trace } | { readonly by: number }

/**
 * A line of the plan.
 * - `conflict`: found; `resolution` tells how it was settled, `waiting` that a person is asked and nothing is done.
 * - `settle`: what to write into the archive once all of `needs` are done. Forgetting comes first, by old paths; then what
 *   moved, with all below it; then what is put.
 * - `unsettled`: nothing is done at this path, and it is to be looked at again by the next session.
 */
export type PlanRow =
  | { readonly row: 'operation'; readonly operation: Operation }
  | {
      readonly row: 'conflict'
      readonly path: RelPath
      readonly resolution: 'waiting' | 'kept-both' | 'source' | 'destination'
      /** Where the other content lies now, if it got a name. */
      readonly copy?: RelPath
    }
  | {
      readonly row: 'problem'
      readonly path: RelPath
      readonly end: End
      readonly code: ProblemCode
      readonly message: string
    }
  | { readonly row: 'settle'; readonly settle: Settle }
  | { readonly row: 'unsettled'; readonly path: RelPath; readonly why: 'conflict' | 'problem' | 'waiting' | 'unknown' }

export type Settle =
  | { readonly kind: 'forget'; readonly path: RelPath; readonly needs: readonly number[] }
  | { readonly kind: 'move'; readonly path: RelPath; readonly to: RelPath; readonly needs: readonly number[] }
  | {
      readonly kind: 'put'
      readonly path: RelPath
      readonly what: Content
      readonly source?: Shown
      readonly destination?: Shown
      readonly keptAt?: End
      readonly needs: readonly number[]
    }
