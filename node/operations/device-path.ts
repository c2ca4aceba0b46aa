import { lstatSync } from 'node:fs'
import { posix } from 'node:path'
import { z } from 'zod'
import { type AbsPath, type ContentHash, SpacedriveError } from '../../storage/base/index.js'
import type { Place } from '../../sync/copy/index.js'
import type { Peer } from '../compose.js'
import { asTyped } from './as-typed.js'
import { resolveTyped } from './typed-path.js'

/** A path as a person names it: on this device, or `DEVICE:/path` on a paired one (DESIGN 3). */
export interface NamedPath {
  /** Id, prefix or name of the device; undefined: this one. */
  readonly device: string | undefined
  readonly path: string
}

const ON_DEVICE = /^([^/:]{1,512}):(\/.*)$/s

/** What `scp` takes for a path on another computer. */
const BEHIND_COLON = /^([^/:]{1,512}):([^/].*)?$/s

const CONTENT = /^content:([0-9a-f]{64})$/

/** `content:HASH`: any file with that content. */
export const namedContent = (text: string): ContentHash | undefined =>
  CONTENT.exec(text)?.[1] as ContentHash | undefined

/** For the input of operations that take either. */
export const sourceText = z
  .string()
  .refine(
    text => isNamedPath(text) || namedContent(text) !== undefined,
    'expected an absolute path, DEVICE:/path, or content: and 64 hexadecimal digits'
  )

/** @param text - absolute, or `DEVICE:/path` */
export function namedPath(text: string): NamedPath {
  const [, device, path] = ON_DEVICE.exec(text) ?? []
  return path === undefined ? { device: undefined, path: text } : { device, path: withoutSlash(posix.normalize(path)) }
}

/**
 * What was typed, made absolute: a relative path is one of this device.
 * @throws {SpacedriveError} USAGE for a device with a relative path or none, unless a thing is called so here: a copy would make one
 */
export function typedPath(text: string, cwd: string): string {
  if (ON_DEVICE.test(text) || text.startsWith('content:')) return text
  const [colon, device, behind] = BEHIND_COLON.exec(text) ?? []
  const here = resolveTyped(cwd, text)
  if (colon === undefined || (behind !== undefined && isThere(here))) return here
  throw new SpacedriveError(
    'USAGE',
    behind === undefined
      ? `expected a path behind the device, got ${asTyped(text)}`
      : `expected an absolute path behind the device, got ${asTyped(text)}`,
    { hint: `Such as ${device}:/home/me/${behind ?? 'Photos'}; what is called so here is ./${text}` }
  )
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return true // why it cannot be looked at is told by whoever wants it
  }
}

export const isNamedPath = (text: string): boolean => text.startsWith('/') || ON_DEVICE.test(text)

/** The closing slash says that a folder is meant; the path is the same. */
const withoutSlash = (path: string): string => (path === '/' ? path : path.replace(/\/$/, ''))

/** For the input of operations. */
export const namedPathText = z.string().refine(isNamedPath, 'expected an absolute path, or DEVICE:/path')

/** A path, on whichever device; null: this one. @throws {SpacedriveError} UNKNOWN_DEVICE, AMBIGUOUS_DEVICE */
export function placeOf({ devices }: Pick<Peer, 'devices'>, text: string): Place {
  const { device, path } = namedPath(text)
  return { device: device === undefined ? null : devices.resolve(device).id, path: path as AbsPath }
}

export type NamedPlace = Place

export const placesOf = (peer: Pick<Peer, 'devices'>, texts: readonly string[]): Place[] =>
  texts.map(text => placeOf(peer, text))

export const typedNamedPaths = (typed: unknown, cwd: string): string[] =>
  ((typed ?? []) as readonly string[]).map(path => typedPath(path, cwd))
