/** The walk behind a manifest: depth first, names in byte order, links never followed. Synchronous steps, for a worker. */
import { accessSync, type BigIntStats, constants, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import {
  type AbsPath,
  displayPath,
  errorCode,
  fsPath,
  MAX_PATH_BYTES,
  type Problem,
  pathBytes,
  textFromBytes,
  toError
} from '../../../storage/base/index.js'
import { isPlainName } from './entry-check.js'
import type { NewEntry } from './page.js'

export interface WalkOptions {
  readonly maxDepth: number
  readonly names: 'any' | 'plain'
}

export type Walked = { readonly entry: NewEntry } | { readonly problem: Problem }

/**
 * Yields `name` (what lies at `absolute`) and everything below it. What cannot be taken in is a problem in its place.
 * @param stat - of `absolute`, by lstat
 */
export function* walk(absolute: AbsPath, name: string, stat: BigIntStats, options: WalkOptions): Generator<Walked> {
  yield* visit(absolute, name, 1, stat, options)
}

function* visit(
  absolute: string,
  path: string,
  depth: number,
  stat: BigIntStats,
  options: WalkOptions
): Generator<Walked> {
  const refused = refusal(path, depth, options)
  if (refused !== undefined) return yield problem(path, ...refused)
  const common = { path, mode: Number(stat.mode) & 0o777, mtimeNs: stat.mtimeNs }
  if (stat.isFile()) {
    const unreadable = whyUnreadable(absolute, stat)
    if (unreadable !== undefined) return yield problem(path, 'UNREADABLE', unreadable)
    if (stat.size > BigInt(Number.MAX_SAFE_INTEGER))
      return yield problem(path, 'TOO_LARGE', 'it is larger than 2^53 bytes')
    return yield { entry: { ...common, kind: 'file', sizeBytes: Number(stat.size) } }
  }
  if (stat.isSymbolicLink()) {
    let target: Buffer
    try {
      target = readlinkSync(fsPath(absolute), 'buffer')
    } catch (err) {
      return yield problem(path, 'UNREADABLE', toError(err).message)
    }
    // Some links of the kernel's own (below /proc) have no text.
    if (target.length === 0 || target.length > MAX_PATH_BYTES)
      return yield problem(path, 'UNREADABLE', 'its target has no usable length')
    return yield { entry: { ...common, kind: 'symlink', sizeBytes: 0, target: textFromBytes(target) } }
  }
  if (!stat.isDirectory())
    return yield problem(path, 'SPECIAL_FILE', 'it is a pipe, socket or device, which has no content to send')
  let names: Buffer[]
  try {
    names = readdirSync(fsPath(absolute), 'buffer')
  } catch (err) {
    return yield problem(path, 'UNREADABLE', toError(err).message)
  }
  yield { entry: { ...common, kind: 'directory', sizeBytes: 0 } }
  names.sort(Buffer.compare)
  for (const bytes of names) {
    const name = textFromBytes(bytes)
    const child = `${absolute}/${name}`
    let childStat: BigIntStats
    try {
      childStat = lstatSync(fsPath(child), { bigint: true })
    } catch (err) {
      // Gone since the directory was read: it is not there, so there is nothing to say.
      if (errorCode(err) !== 'ENOENT') yield problem(`${path}/${name}`, 'UNREADABLE', toError(err).message)
      continue
    }
    yield* visit(child, `${path}/${name}`, depth + 1, childStat, options)
  }
}

function refusal(
  path: string,
  depth: number,
  { maxDepth, names }: WalkOptions
): [code: string, why: string] | undefined {
  if (depth > maxDepth) return ['TOO_DEEP', `it lies more than ${maxDepth} levels deep`]
  if (names === 'plain' && !isPlainName(path))
    return ['NAME_REFUSED', 'its name has control characters or is not valid UTF-8']
  if (path.length > MAX_PATH_BYTES / 4) {
    if (pathBytes(path).length > MAX_PATH_BYTES)
      return ['PATH_TOO_LONG', `its path is longer than ${MAX_PATH_BYTES} bytes`]
  }
  return undefined
}

/** Asked only where the mode leaves a doubt: one system call less for each file. */
function whyUnreadable(absolute: string, stat: BigIntStats): string | undefined {
  const user = process.geteuid?.()
  if (user === 0 || (user !== undefined && stat.uid === BigInt(user) && (stat.mode & 0o400n) !== 0n)) return undefined
  try {
    accessSync(fsPath(absolute), constants.R_OK)
    return undefined
  } catch (err) {
    return toError(err).message
  }
}

function problem(path: string, code: string, why: string): Walked {
  const shown = displayPath(path)
  return { problem: { path: shown, code, message: `could not take in ${shown}: ${why}` } }
}
