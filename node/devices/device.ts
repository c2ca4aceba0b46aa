import type { DeviceId } from '../../storage/base/index.js'

/** What is stored. `connected` and `discovered` come from the network, which adds them for people. */
export type DeviceState = 'unconfirmed' | 'paired' | 'revoked' | 'forgotten'

/** Why a paired device cannot be talked to, or what is odd about it; kept until the next good hello. */
export type DeviceProblem =
  /** Its hello does not fit our secret. */
  | 'keys-differ'
  /** It proved to be itself and closed the connection on us: it lost its database, or revoked this device. */
  | 'does-not-know-us'
  /** Two running peers use its key. */
  | 'runs-twice'

export interface Device {
  readonly id: DeviceId
  /** The name it goes by here: given by a person, else its own. */
  readonly name: string
  readonly ownName: string
  readonly state: DeviceState
  readonly os: string
  readonly model: string
  readonly version: string | undefined
  readonly capabilities: readonly string[]
  readonly epoch: number
  readonly starts: number | undefined
  readonly run: string | undefined
  readonly pairedAt: number
  readonly lastSeenAt: number | undefined
  readonly revokedAt: number | undefined
  readonly problem: DeviceProblem | undefined
}

/** Sentences for people. */
export const PROBLEM_TEXT: Readonly<Record<DeviceProblem, string>> = {
  'keys-differ': 'keys differ: pair again',
  'does-not-know-us': 'does not know us: pair again',
  'runs-twice': 'this identity runs twice'
}

/** The secret of one pairing. `confirmed`: a hello has proven it both ways. */
export interface PairSecret {
  readonly epoch: number
  readonly root: Uint8Array
  readonly confirmed: boolean
}

/** What a hello tells of the other device. */
export interface HelloFacts {
  readonly name: string
  readonly os: string
  readonly model: string
  readonly version: string
  readonly capabilities: readonly string[]
  readonly starts: number
  readonly run: string
}
