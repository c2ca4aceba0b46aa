import { randomUUID } from 'node:crypto'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type AbsPath, hasCode, SpacedriveError, toError } from '../../storage/base/index.js'

/** Puts a stream into a private file of its own, which the daemon owns once it was told of it (protocols/spacedrop). */
export async function spool(from: Readable, spoolDir: AbsPath): Promise<AbsPath> {
  const dir = join(spoolDir, randomUUID())
  const file = join(dir, 'stdin') as AbsPath
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    await pipeline(from, createWriteStream(file, { flags: 'wx', mode: 0o600 }))
    return file
  } catch (cause) {
    await dropSpooled(file)
    const full = hasCode(cause, 'ENOSPC', 'EDQUOT')
    throw new SpacedriveError(
      full ? 'NO_SPACE' : 'SPOOL_FAILED',
      `could not keep standard input: ${toError(cause).message}`,
      {
        cause,
        ...(full && { hint: 'Free some space on the disk of the data directory, or put it into a file elsewhere.' })
      }
    )
  }
}

/** For a command that failed before the daemon took it; what is gone already is fine. */
export async function dropSpooled(file: AbsPath): Promise<void> {
  const { removeEmptyDir, removeFile } = await import('../../storage/files/index.js')
  await removeFile(file)
  await removeEmptyDir(join(file, '..'))
}
