import { scrypt } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { z } from 'zod'
import { type AbsPath, hasCode, type Random, SpacedriveError, toError } from '../../storage/base/index.js'
import { openWith, SEED_BYTES, sealWith } from './identity.js'

/** A whole file is under 600 bytes; anything longer is not ours. */
export const MAX_KEY_FILE_BYTES = 4096
/** OWASP's choice for scrypt: 128 MiB and about half a second for each guess. */
const SCRYPT_N = 2 ** 17
const SCRYPT_R = 8
const SCRYPT_P = 1
/** What a file may ask for: never weaker than ours, and no more memory than 1 GiB (128 * N * r). */
const MAX_SCRYPT_N = 2 ** 20
const SALT_BYTES = 16

const base64 = (bytes: number) =>
  z.base64().refine(text => Buffer.from(text, 'base64').length === bytes, { message: `expected ${bytes} bytes` })

const sealedSchema = z.strictObject({
  kdf: z.literal('scrypt'),
  N: z
    .number()
    .int()
    .min(SCRYPT_N)
    .max(MAX_SCRYPT_N)
    .refine(n => Number.isInteger(Math.log2(n))),
  r: z.literal(SCRYPT_R),
  p: z.literal(SCRYPT_P),
  salt: base64(SALT_BYTES),
  /** nonce (12), the seed (32), tag (16). */
  box: base64(12 + SEED_BYTES + 16)
})

const fileSchema = z
  .strictObject({
    kind: z.literal('spacedrive-identity'),
    version: z.literal(1),
    /** Public; so that a locked device knows its own id. Checked against the key when it is opened. */
    device: z.string().max(128),
    seed: base64(SEED_BYTES).optional(),
    sealed: sealedSchema.optional()
  })
  .refine(file => (file.seed === undefined) !== (file.sealed === undefined), {
    message: 'expected either a seed or a sealed seed'
  })

export type KeyFile = z.infer<typeof fileSchema>

/**
 * @returns undefined when there is no file
 * @throws {SpacedriveError} KEY_FILE_EXPOSED when others may read it, KEY_FILE_DAMAGED, KEY_FILE_NEWER, KEY_FILE_UNREADABLE
 */
export async function readKeyFile(path: AbsPath): Promise<KeyFile | undefined> {
  let text: string
  try {
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    try {
      const stat = await file.stat()
      if (!stat.isFile()) throw damaged(path, 'it is not a regular file')
      if (process.platform !== 'win32') checkMode(path, stat.mode, stat.uid)
      if (stat.size > MAX_KEY_FILE_BYTES) throw damaged(path, 'it is too long')
      text = await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (err) {
    if (hasCode(err, 'ENOENT')) return undefined
    if (err instanceof SpacedriveError) throw err
    throw new SpacedriveError('KEY_FILE_UNREADABLE', `could not read the identity ${path}: ${toError(err).message}`, {
      cause: err
    })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw damaged(path, 'it is not JSON', cause)
  }
  const version = (value as { version?: unknown } | null)?.version
  if (typeof version === 'number' && version > 1) {
    throw new SpacedriveError('KEY_FILE_NEWER', `the identity ${path} was made by a newer version of spacedrive`)
  }
  const parsed = fileSchema.safeParse(value)
  if (!parsed.success) throw damaged(path, parsed.error.issues[0]?.message ?? 'it has a bad shape')
  return parsed.data
}

/** @returns the text of a key file; with a password the seed is sealed */
export async function composeKeyFile(
  device: string,
  seed: Uint8Array,
  password: string | undefined,
  random: Random
): Promise<string> {
  const head = { kind: 'spacedrive-identity', version: 1, device }
  if (password === undefined) return `${JSON.stringify({ ...head, seed: Buffer.from(seed).toString('base64') })}\n`
  const salt = random.bytes(SALT_BYTES)
  const key = await stretch(password, salt, SCRYPT_N)
  const box = sealWith(key, seed, aboutFile(device), random)
  const sealed = {
    kdf: 'scrypt',
    N: SCRYPT_N,
    r: SCRYPT_R,
    p: SCRYPT_P,
    salt: Buffer.from(salt).toString('base64'),
    box: Buffer.from(box).toString('base64')
  }
  return `${JSON.stringify({ ...head, sealed })}\n`
}

/** The seed of a file. @throws {SpacedriveError} LOCKED_IDENTITY without a password, WRONG_PASSWORD */
export async function seedOf(file: KeyFile, password: string | undefined): Promise<Uint8Array> {
  if (file.seed !== undefined) return new Uint8Array(Buffer.from(file.seed, 'base64'))
  const sealed = file.sealed!
  if (password === undefined) throw lockedIdentity()
  const key = await stretch(password, Buffer.from(sealed.salt, 'base64'), sealed.N)
  try {
    return openWith(key, Buffer.from(sealed.box, 'base64'), aboutFile(file.device))
  } catch (cause) {
    throw new SpacedriveError('WRONG_PASSWORD', 'the password does not open the identity of this device', {
      cause,
      hint: 'Try again; if it is lost, `spacedrive network init --new-identity` makes a new identity.'
    })
  }
}

export function lockedIdentity(): SpacedriveError {
  return new SpacedriveError('LOCKED_IDENTITY', 'the identity of this device is sealed with a password', {
    hint: 'Run `spacedrive network start --password`, or give --password-file or SPACEDRIVE_PASSWORD to `spacedrive start`.'
  })
}

export function damaged(path: string, why: string, cause?: unknown): SpacedriveError {
  return new SpacedriveError('KEY_FILE_DAMAGED', `the identity ${path} is damaged: ${why}`, {
    cause,
    hint: 'Restore it from a backup. Without it, `spacedrive network init --new-identity` makes a new identity; paired devices must then be paired again.'
  })
}

function checkMode(path: string, mode: number, uid: number): void {
  const own = process.getuid?.()
  if (own !== undefined && uid !== own && own !== 0) {
    throw new SpacedriveError('KEY_FILE_EXPOSED', `the identity ${path} belongs to another user`, {
      hint: `chown it to the user that runs spacedrive, and chmod 600 '${path}'.`
    })
  }
  if ((mode & 0o077) === 0) return
  throw new SpacedriveError('KEY_FILE_EXPOSED', `the identity ${path} can be read or changed by others`, {
    hint: `Run: chmod 600 '${path}'. If others have used this machine since, make a new identity (network init --new-identity).`
  })
}

const aboutFile = (device: string): string => `spacedrive/identity/v1/file ${device}`

function stretch(password: string, salt: Uint8Array, N: number): Promise<Buffer> {
  const options = { N, r: SCRYPT_R, p: SCRYPT_P, maxmem: 128 * N * SCRYPT_R + 2 ** 20 }
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, 32, options, (err, key) => (err === null ? resolve(key) : reject(err)))
  })
}
