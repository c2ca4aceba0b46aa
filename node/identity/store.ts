import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  type Clock,
  type DeviceId,
  type Random,
  SpacedriveError,
  toError
} from '../../storage/base/index.js'
import { readFileBounded, writeFileAtomic } from '../../storage/files/index.js'
import { type Identity, identityOf, SEED_BYTES } from './identity.js'
import {
  composeKeyFile,
  damaged,
  type KeyFile,
  lockedIdentity,
  MAX_KEY_FILE_BYTES,
  readKeyFile,
  seedOf
} from './key-file.js'
import { MAX_PASSWORD_BYTES } from './password.js'

/** `unlocked`: `unlock` needs no password. `unreadable`: there is a key file that cannot be used (exposed, damaged, of a newer version): nothing is made anew in silence. */
export type IdentityState = 'none' | 'locked' | 'unlocked' | 'unreadable'

export interface IdentityStoreInit {
  dataDir: AbsPath
  clock: Clock
  random: Random
}

export interface IdentityStore {
  state(): IdentityState
  /** The id of this device, also while locked; undefined when there is no key. */
  readonly device: DeviceId | undefined
  /** The key itself, from the first `unlock` or `create` on: opening it loads code that the daemon's start does not wait for. */
  readonly identity: Identity | undefined
  /** Why the key file cannot be used. */
  readonly error: SpacedriveError | undefined
  /** True when a password is needed after the next start. */
  readonly sealed: boolean
  /** @throws {SpacedriveError} IDENTITY_EXISTS */
  create(options: { password?: string | undefined }): Promise<Identity>
  /** Makes a new key and keeps the old file in `backups/`. The caller has said what is lost and been told to go on. */
  replace(options: { password?: string | undefined }): Promise<Identity>
  /** @throws {SpacedriveError} NO_IDENTITY, LOCKED_IDENTITY (no password given), WRONG_PASSWORD, KEY_FILE_DAMAGED */
  unlock(password?: string): Promise<Identity>
  /** Seals the key with a password, changes that, or (undefined) stores it plain. @throws LOCKED_IDENTITY */
  setPassword(password: string | undefined): Promise<void>
}

const FILE = 'identity.key'

/** Reads the key file. A file that cannot be used is no reason to throw: local work goes on. */
export async function openIdentityStore({ dataDir, clock, random }: IdentityStoreInit): Promise<IdentityStore> {
  const path = join(dataDir, FILE) as AbsPath
  let file: KeyFile | undefined
  let identity: Identity | undefined
  let error: SpacedriveError | undefined
  try {
    file = await readKeyFile(path)
  } catch (err) {
    error = err instanceof SpacedriveError ? err : damaged(path, toError(err).message, err)
  }

  async function open(from: KeyFile, password: string | undefined): Promise<Identity> {
    const opened = await identityOf(await seedOf(from, password), random)
    if (opened.device !== from.device) throw damaged(path, 'its device id is not that of its key')
    return opened
  }

  async function write(next: Identity, password: string | undefined): Promise<void> {
    checkPassword(password)
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    await writeFileAtomic(path, await composeKeyFile(next.device, next.seed, password, random), { mode: 0o600 })
    file = await readKeyFile(path)
    identity = next
    error = undefined
  }

  async function make(password: string | undefined): Promise<Identity> {
    const next = await identityOf(random.bytes(SEED_BYTES), random)
    await write(next, password)
    return next
  }

  const store: IdentityStore = {
    state() {
      if (error !== undefined) return 'unreadable'
      if (file === undefined) return 'none'
      return identity !== undefined || file.seed !== undefined ? 'unlocked' : 'locked'
    },
    get error() {
      return error
    },
    get device() {
      return file?.device as DeviceId | undefined
    },
    get identity() {
      return identity
    },
    get sealed() {
      return file?.sealed !== undefined
    },
    async create({ password }) {
      if (error !== undefined) throw error
      if (file !== undefined) {
        throw new SpacedriveError('IDENTITY_EXISTS', `this device has an identity already: ${file.device}`, {
          hint: 'Its name is changed with `spacedrive network rename`; `network init --new-identity` replaces it.'
        })
      }
      return make(password)
    },
    async replace({ password }) {
      checkPassword(password)
      const old = await readFileBounded(path, MAX_KEY_FILE_BYTES)
      if (old !== undefined) {
        const backups = join(dataDir, 'backups')
        mkdirSync(backups, { recursive: true, mode: 0o700 })
        const at = new Date(clock.nowMs()).toISOString().replace(/[:.]/g, '-')
        const name = `identity-${file?.device.slice(-8) ?? 'unreadable'}-${at}.key`
        await writeFileAtomic(join(backups, name), old, { mode: 0o600 })
      }
      return make(password)
    },
    async unlock(password) {
      if (error !== undefined) throw error
      if (identity !== undefined) return identity
      if (file === undefined) {
        throw new SpacedriveError('NO_IDENTITY', 'this device has no identity yet', {
          hint: 'Run `spacedrive network init`, or start with --enable-networking.'
        })
      }
      identity = await open(file, password)
      return identity
    },
    async setPassword(password) {
      if (identity === undefined && file?.sealed !== undefined) throw lockedIdentity()
      await write(await store.unlock(), password)
    }
  }
  return store
}

function checkPassword(password: string | undefined): void {
  if (password === undefined) return
  if (password === '') throw new SpacedriveError('PASSWORD_EMPTY', 'an empty password would protect nothing')
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    throw new SpacedriveError('PASSWORD_TOO_LONG', `a password has at most ${MAX_PASSWORD_BYTES} bytes`)
  }
}
