import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, displayPath, errorCode, SpacedriveError, toError } from '../../storage/base/index.js'
import { jsonErrorOffset, lineAndColumn } from './json-position.js'
import { CONFIG_VERSION } from './schema.js'

/** A full configuration with every list at its limit has under 16 KiB. */
const MAX_CONFIG_BYTES = 1024 * 1024

export const configFile = (dataDir: string): AbsPath => join(dataDir, 'config.json') as AbsPath

/**
 * What the file says, not yet checked against the schema; empty when there is none.
 * @throws {SpacedriveError} CONFIG_BROKEN with the position and the cure, CONFIG_TOO_NEW
 */
export function readConfigFile(dataDir: string): Record<string, unknown> {
  const file = configFile(dataDir)
  const text = readText(file)
  if (text === undefined) return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const { line, column } = lineAndColumn(text, jsonErrorOffset(text))
    throw configBroken(file, `line ${line}, column ${column}: it is not JSON from there on`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw configBroken(file, 'expected an object { ... }')
  }
  const { version = CONFIG_VERSION } = value as { version?: unknown }
  if (typeof version === 'number' && Number.isInteger(version) && version > CONFIG_VERSION) {
    throw new SpacedriveError(
      'CONFIG_TOO_NEW',
      `could not use ${displayPath(file)}: it has version ${version}, this program knows ${CONFIG_VERSION}`,
      { hint: 'Install the newer spacedrive again, or move the file away to begin with the defaults.' }
    )
  }
  if (typeof version !== 'number') throw configBroken(file, '"version" is not a number')
  if (version !== CONFIG_VERSION) throw configBroken(file, `there is no version ${version}, expected ${CONFIG_VERSION}`)
  return value as Record<string, unknown>
}

/** Writes the file whole or not at all, for this user alone. */
export async function writeConfigFile(dataDir: string, tree: Readonly<Record<string, unknown>>): Promise<void> {
  const { writeFileAtomic } = await import('../../storage/files/own-files.js')
  await writeFileAtomic(configFile(dataDir), `${JSON.stringify({ version: CONFIG_VERSION, ...tree }, null, 2)}\n`)
}

export function configBroken(file: string, why: string): SpacedriveError {
  return new SpacedriveError('CONFIG_BROKEN', `could not use the configuration ${displayPath(file)}: ${why}`, {
    hint: 'Correct it, or move it away to begin with the defaults.',
    details: { file: displayPath(file) }
  })
}

/** Synchronous: it is read once, at the start, before there is anything to wait for. A link is followed: people keep such files elsewhere. */
function readText(file: string): string | undefined {
  let fd: number
  try {
    fd = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return undefined
    throw configBroken(file, toError(err).message)
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw configBroken(file, 'it is not a regular file')
    if (stat.size > MAX_CONFIG_BYTES) throw configBroken(file, `it holds more than ${MAX_CONFIG_BYTES} bytes`)
    return readFileSync(fd, 'utf8').replace(/^\ufeff/, '')
  } finally {
    closeSync(fd)
  }
}
