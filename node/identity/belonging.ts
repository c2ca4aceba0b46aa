import { type DeviceId, SpacedriveError } from '../../storage/base/index.js'

/** What the key file says and what the instance database says, compared. */
export type BelongingState =
  /** Neither: a fresh installation. */
  | 'new'
  | 'same'
  /** A key, and a database that names no identity: the device is itself but knows nobody. */
  | 'database-lost'
  /** A database that names an identity whose key is not there: nothing is made anew in silence. */
  | 'key-lost'
  /** A database of one identity beside the key of another. */
  | 'other'

export interface Belonging {
  readonly state: BelongingState
  /** Set when the network must not start. */
  readonly error?: SpacedriveError
}

const HINT =
  'Restore the missing half from a backup, or run `spacedrive network init --new-identity`, which says what will be lost.'

/** Pure: which of the lost halves of PEERS 3 this is. */
export function belonging(key: DeviceId | undefined, database: DeviceId | undefined): Belonging {
  if (key === undefined && database === undefined) return { state: 'new' }
  if (key === database) return { state: 'same' }
  if (database === undefined) return { state: 'database-lost' }
  if (key === undefined) {
    return {
      state: 'key-lost',
      error: new SpacedriveError('IDENTITY_LOST', `the key of this device (${database}) is not there any more`, {
        hint: HINT,
        details: { database }
      })
    }
  }
  return {
    state: 'other',
    error: new SpacedriveError(
      'IDENTITY_MISMATCH',
      `the key file is of ${key}, but the instance database belongs to ${database}`,
      { hint: HINT, details: { key, database } }
    )
  }
}
