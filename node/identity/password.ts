import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, SpacedriveError, toError } from '../../storage/base/index.js'

/** Longer than any passphrase; short enough that a wrong file (a disk image, say) is noticed. */
export const MAX_PASSWORD_BYTES = 1024
/** The name under which systemd's LoadCredential= hands the password to the service. */
const CREDENTIAL = 'spacedrive-password'

/**
 * The first line of a file, without its line end.
 * @throws {SpacedriveError} PASSWORD_UNREADABLE, PASSWORD_EMPTY
 */
export async function readPasswordFile(path: string): Promise<string> {
  let bytes: Buffer
  try {
    const file = await open(path, 'r')
    try {
      const buffer = Buffer.alloc(MAX_PASSWORD_BYTES + 2)
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
      bytes = buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (err) {
    throw new SpacedriveError(
      'PASSWORD_UNREADABLE',
      `could not read the password file ${path}: ${toError(err).message}`,
      {
        cause: err
      }
    )
  }
  const line = bytes.toString('utf8').split(/\r?\n/, 1)[0]!
  if (Buffer.byteLength(line) > MAX_PASSWORD_BYTES) {
    throw new SpacedriveError(
      'PASSWORD_UNREADABLE',
      `the first line of ${path} is longer than ${MAX_PASSWORD_BYTES} bytes`
    )
  }
  if (line === '') throw new SpacedriveError('PASSWORD_EMPTY', `the first line of the password file ${path} is empty`)
  return line
}

/**
 * The password a daemon was started with: SPACEDRIVE_PASSWORD (taken out of the environment, so that no child process and
 * no dump of it shows it), else systemd's credential. Undefined when neither is there.
 */
export async function suppliedPassword(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const direct = env.SPACEDRIVE_PASSWORD
  delete env.SPACEDRIVE_PASSWORD
  if (direct !== undefined && direct !== '') return direct
  const dir = env.CREDENTIALS_DIRECTORY
  if (dir === undefined) return undefined
  try {
    return await readPasswordFile(join(dir, CREDENTIAL))
  } catch (err) {
    if (hasCode((err as SpacedriveError).cause, 'ENOENT')) return undefined
    throw err
  }
}
