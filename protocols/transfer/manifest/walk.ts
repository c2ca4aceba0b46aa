/** The walk behind a manifest: depth first, names in byte order, links never followed. Synchronous steps, for a worker. */
import {
  comparePaths,
  displayPath,
  joinRel,
  MAX_PATH_BYTES,
  type Problem,
  pathBytes,
  type RelPath,
  toError
} from '../../../storage/base/index.js'
import type { EntryStat, TreeReader } from '../../../storage/files/index.js'
import { isPlainName } from './entry-check.js'
import type { NewEntry } from './page.js'

export interface WalkOptions {
  readonly maxDepth: number
  readonly names: 'any' | 'plain'
}

export type Walked = { readonly entry: NewEntry } | { readonly problem: Problem }

/** Yields `name` (what lies at `rel`) and everything below it. What cannot be taken in is a problem in its place. */
export function* walk(reader: TreeReader, rel: RelPath, name: string, options: WalkOptions): Generator<Walked> {
  yield* visit(reader, rel, name, 1, options)
}

function* visit(
  reader: TreeReader,
  rel: RelPath,
  path: string,
  depth: number,
  options: WalkOptions
): Generator<Walked> {
  let stat: EntryStat | undefined
  try {
    stat = reader.look(rel)
  } catch (err) {
    return yield problem(path, 'UNREADABLE', why(err))
  }
  // Gone since the directory was read: it is not there, so there is nothing to say.
  if (stat === undefined) return
  const refused = refusal(path, depth, options)
  if (refused !== undefined) return yield problem(path, ...refused)
  const common = { path, mode: stat.mode & 0o777, mtimeNs: stat.mtimeNs }
  if (stat.kind === 'file') {
    const unreadable = whyUnreadable(reader, rel, stat)
    if (unreadable !== undefined) return yield problem(path, 'UNREADABLE', unreadable)
    if (stat.sizeBytes > Number.MAX_SAFE_INTEGER)
      return yield problem(path, 'TOO_LARGE', 'it is larger than 2^53 bytes')
    return yield { entry: { ...common, kind: 'file', sizeBytes: stat.sizeBytes } }
  }
  if (stat.kind === 'symlink') {
    let target: string
    try {
      target = reader.link(rel)
    } catch (err) {
      return yield problem(path, 'UNREADABLE', why(err))
    }
    // Some links of the kernel's own (below /proc) have no text.
    if (target.length === 0 || pathBytes(target).length > MAX_PATH_BYTES)
      return yield problem(path, 'UNREADABLE', 'its target has no usable length')
    return yield { entry: { ...common, kind: 'symlink', sizeBytes: 0, target } }
  }
  if (stat.kind !== 'directory')
    return yield problem(path, 'SPECIAL_FILE', 'it is a pipe, socket or device, which has no content to send')
  let names: string[]
  try {
    names = reader.list(rel)
  } catch (err) {
    return yield problem(path, 'UNREADABLE', why(err))
  }
  yield { entry: { ...common, kind: 'directory', sizeBytes: 0 } }
  names.sort(comparePaths)
  for (const name of names) yield* visit(reader, joinRel(rel, name), `${path}/${name}`, depth + 1, options)
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

/** Asked only where the mode leaves a doubt: some system calls less for each file. */
function whyUnreadable(reader: TreeReader, rel: RelPath, { uid, mode }: EntryStat): string | undefined {
  const user = process.geteuid?.()
  if (user === 0 || (user !== undefined && uid === user && (mode & 0o400) !== 0)) return undefined
  try {
    reader.open(rel, { looked: true }).close()
    return undefined
  } catch (err) {
    return why(err)
  }
}

/** In the words of the system: the path stands before it already. */
function why(err: unknown): string {
  const { cause } = toError(err)
  return toError(cause ?? err).message
}

function problem(path: string, code: string, why: string): Walked {
  const shown = displayPath(path)
  return { problem: { path: shown, code, message: `could not take in ${shown}: ${why}` } }
}
