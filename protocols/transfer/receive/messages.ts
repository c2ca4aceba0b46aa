/** What the receiver's event loop and its worker say to each other. */
import type { AbsPath } from '../../../storage/base/index.js'
import type { StagingHandle } from '../../../storage/files/index.js'
import type { Selection } from '../manifest/types.js'

export interface ReceiveInput {
  readonly manifestFile: AbsPath
  readonly entries: number
  readonly selection: Selection
  readonly staging: StagingHandle
  readonly journalFile: AbsPath
  /** What this run of the program knows to be there; undefined: prove what the journal says. */
  readonly have: Uint8Array | undefined
  /** Modes exactly as the sender has them. */
  readonly exactModes: boolean
  /** The file system takes names for one that differ by case or Unicode form. */
  readonly foldsNames: boolean
  /** The keys of the channels `content` and `account`. */
  readonly contentKey: Uint8Array
  readonly accountKey: Uint8Array
  /** 16 bytes. */
  readonly transfer: Uint8Array
}

/** Posted to the worker. */
export interface ToContentReceiver {
  /** A frame of the content channel, without its length, and the memory it lies in. */
  readonly frame?: Uint8Array
  /** What the limits of now let be on its way. */
  readonly windowBytes: number
}

export interface FromContentReceiver {
  /** A frame to send. */
  readonly frame?: Uint8Array
  readonly transfer?: ArrayBuffer[]
  /** With such a frame: the window that the sender was told last. */
  readonly toldBytes?: number
  /** Bytes of content frames consumed so far: what is beyond the credit given for them is a flood. */
  readonly consumed?: number
  /** The memory of a frame, for the next one. */
  readonly memory?: ArrayBuffer | undefined
  /** Once, at the beginning: everything that is there. */
  readonly have?: Uint8Array
  /** Entries that are there now, too. */
  readonly arrived?: readonly number[]
  readonly failed?: { readonly file: number; readonly code: string; readonly by: 'sender' | 'receiver' }
  readonly phase?: 'verifying' | 'transferring'
  /** Bytes to be hashed by the sender before it can go on. Asks for the window, which GO says. */
  readonly partialBytes?: number
  readonly doneFiles: number
  readonly doneBytes: number
}

/** When every selected file is accounted for. */
export interface ReceiveOutcome {
  readonly doneFiles: number
  readonly doneBytes: number
}
