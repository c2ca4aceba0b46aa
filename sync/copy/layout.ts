import { lstat, realpath, stat } from 'node:fs/promises'
import {
  type AbsPath,
  displayPath,
  errorCode,
  fsPath,
  hasCode,
  isWithin,
  SpacedriveError,
  textFromBytes,
  toError
} from '../../storage/base/index.js'
import type { CopyInput } from './input.js'

/** Sources that lie in one folder. */
export interface Tree {
  readonly folder: AbsPath
  readonly names: readonly string[]
  /** What they are called at the destination, where that differs. */
  readonly renames: Readonly<Record<string, string>>
}

/** Where everything goes. All paths are real: without links, but for the last name of a source. */
export interface Layout {
  /** The folder that is copied into. */
  readonly root: AbsPath
  /** It is made first. */
  readonly makeRoot: boolean
  readonly trees: readonly Tree[]
}

interface Source {
  readonly given: AbsPath
  readonly folder: AbsPath
  readonly name: string
  readonly directory: boolean
}

/**
 * Finds out what goes where, and refuses what cannot be meant. Changes nothing.
 * @throws {SpacedriveError} NOT_FOUND, NOT_A_FOLDER, INTO_ITSELF, SOURCE_INSIDE_DESTINATION, SAME_NAME_TWICE, NO_PERMISSION
 */
export async function layOut({ operation, sources, destination, into }: CopyInput): Promise<Layout> {
  const found = await Promise.all(sources.map(path => lookAtSource(path, operation)))
  const there = await lookAt(destination)
  const single = found.length === 1 ? found[0]! : undefined
  let root: AbsPath
  let makeRoot = false
  let newName: string | undefined
  if (there === 'directory') root = await realOf(destination)
  else if (there !== undefined) {
    if (single === undefined || single.directory || into) throw notAFolder(destination, sources.length)
    root = await realOf(parent(destination))
    newName = baseName(destination)
  } else if (single !== undefined && !into) {
    root = await realFolder(parent(destination), destination)
    newName = baseName(destination)
  } else {
    root = `${trimmed(await realFolder(parent(destination), destination))}/${baseName(destination)}` as AbsPath
    makeRoot = true
  }
  const trees = new Map<AbsPath, { names: string[]; renames: Record<string, string> }>()
  const taken = new Map<string, AbsPath>()
  for (const source of found) {
    const name = newName ?? source.name
    const twin = taken.get(name)
    if (twin !== undefined) throw sameName(name, twin, source.given, root)
    taken.set(name, source.given)
    await ensureApart(source, root, name, operation)
    const tree = trees.get(source.folder) ?? { names: [], renames: {} }
    tree.names.push(source.name)
    if (name !== source.name) tree.renames[source.name] = name
    trees.set(source.folder, tree)
  }
  return { root, makeRoot, trees: [...trees].map(([folder, tree]) => ({ folder, ...tree })) }
}

async function lookAtSource(given: AbsPath, operation: string): Promise<Source> {
  const name = baseName(given)
  if (name === '') throw new SpacedriveError('BAD_SOURCE', `could not ${operation} /: it is the whole file system`)
  try {
    const info = await lstat(fsPath(given))
    return { given, folder: await realOf(parent(given)), name, directory: info.isDirectory() }
  } catch (err) {
    if (hasCode(err, 'ENOENT', 'ENOTDIR')) {
      throw new SpacedriveError(
        'NOT_FOUND',
        `could not ${operation} ${displayPath(given)}: there is no such file or folder`,
        {
          hint: 'Check the spelling.'
        }
      )
    }
    throw cannotLook(given, err)
  }
}

async function lookAt(path: AbsPath): Promise<'directory' | 'file' | undefined> {
  try {
    return (await stat(fsPath(path))).isDirectory() ? 'directory' : 'file'
  } catch (err) {
    if (!hasCode(err, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw cannotLook(path, err)
    // A link that leads nowhere stands there all the same.
    return (await lstat(fsPath(path)).catch(() => undefined)) === undefined ? undefined : 'file'
  }
}

/** By names and by what the names lead to: neither end may lie in the other. */
async function ensureApart(source: Source, root: AbsPath, name: string, operation: string): Promise<void> {
  const from = `${trimmed(source.folder)}/${source.name}`
  const to = `${trimmed(root)}/${name}`
  const shown = displayPath(source.given)
  if (from === to || (await sameThing(from, to))) {
    throw new SpacedriveError('SAME_FILE', `could not ${operation} ${shown}: it would go onto itself`, {
      hint: 'Name another destination.'
    })
  }
  if (source.directory && isWithin(to, from)) {
    throw new SpacedriveError('INTO_ITSELF', `could not ${operation} ${shown} to ${displayPath(to)}: that lies in it`, {
      hint: 'A folder cannot hold itself: name a destination outside of it.'
    })
  }
  if (isWithin(from, to)) {
    throw new SpacedriveError(
      'SOURCE_INSIDE_DESTINATION',
      `could not ${operation} ${shown} to ${displayPath(to)}: it lies in what it would be put over`,
      { hint: 'Give it another name there, or move it out first.' }
    )
  }
}

async function sameThing(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([a, b].map(p => lstat(fsPath(p), { bigint: true }).catch(() => undefined)))
  return x !== undefined && y !== undefined && x.ino === y.ino && x.dev === y.dev && (x.isDirectory() || x.nlink === 1n)
}

async function realFolder(path: AbsPath, destination: AbsPath): Promise<AbsPath> {
  const there = await lookAt(path)
  if (there === 'directory') return realOf(path)
  throw new SpacedriveError(
    there === undefined ? 'NOT_FOUND' : 'NOT_A_FOLDER',
    `could not write to ${displayPath(destination)}: ${displayPath(path)} ${there === undefined ? 'does not exist' : 'is no folder'}`,
    { hint: 'Make the folder first, or check the spelling.' }
  )
}

async function realOf(path: AbsPath): Promise<AbsPath> {
  try {
    return textFromBytes(await realpath(fsPath(path), { encoding: 'buffer' })) as AbsPath
  } catch (err) {
    throw cannotLook(path, err)
  }
}

const trimmed = (path: AbsPath): string => (path === '/' ? '' : path)
const parent = (path: AbsPath): AbsPath => (path.slice(0, path.lastIndexOf('/')) || '/') as AbsPath
const baseName = (path: AbsPath): string => path.slice(path.lastIndexOf('/') + 1)

function notAFolder(destination: AbsPath, sources: number): SpacedriveError {
  const what = sources > 1 ? `${sources} things` : 'a folder'
  return new SpacedriveError('NOT_A_FOLDER', `could not put ${what} into ${displayPath(destination)}: it is a file`, {
    hint: 'Name a folder, or a name that does not exist yet.'
  })
}

function sameName(name: string, a: AbsPath, b: AbsPath, root: AbsPath): SpacedriveError {
  return new SpacedriveError(
    'SAME_NAME_TWICE',
    `could not begin: ${displayPath(a)} and ${displayPath(b)} would both become ${displayPath(name)} in ${displayPath(root)}`,
    { hint: 'Copy them one after the other under different names.' }
  )
}

function cannotLook(path: AbsPath, err: unknown): SpacedriveError {
  const denied = hasCode(err, 'EACCES', 'EPERM')
  return new SpacedriveError(
    denied ? 'NO_PERMISSION' : errorCode(err),
    `could not look at ${displayPath(path)}: ${denied ? 'permission denied' : toError(err).message}`,
    { cause: err, ...(denied && { hint: 'Check who owns it and its permissions.' }) }
  )
}
