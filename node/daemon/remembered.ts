import { join } from 'node:path'
import type { Logger } from '../../storage/base/index.js'
import { readFileBounded, writeFileAtomic } from '../../storage/files/own-files.js'
import type { StartOptions } from './start-options.js'

const MAX_BYTES = 64 * 1024

interface Remembered {
  flags?: Record<string, unknown>
  passwordFile?: string
}

/**
 * How networking was last switched on (`--loopback`, `--listen`, ...) holds for the starts after it, until a start names
 * options of the network again: who tried something out on loopback is not put on the net by a plain `start`. Likewise the
 * password file. `network.enabled` itself stands in the configuration.
 */
export async function withRemembered(options: StartOptions, log: Logger): Promise<StartOptions> {
  const file = join(options.dataDir, 'start.json')
  let before: Remembered = {}
  try {
    before = JSON.parse((await readFileBounded(file, MAX_BYTES))?.toString('utf8') ?? '{}') as Remembered
  } catch (err) {
    log.warn('the remembered start options were unreadable and are not used', { err })
  }
  const named = Object.keys(options.flags).length > 0
  const { 'network.enabled': _enabled, ...flags } = named ? options.flags : (before.flags ?? {})
  const passwordFile = options.passwordFile ?? before.passwordFile
  if (named || options.passwordFile !== undefined) {
    await writeFileAtomic(file, `${JSON.stringify({ flags, passwordFile })}\n`)
  }
  return { ...options, flags, passwordFile }
}
