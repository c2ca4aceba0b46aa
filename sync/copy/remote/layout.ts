import {
  type AbortOptions,
  type AbsPath,
  displayPath,
  errorCode,
  isWithin,
  joinRel,
  type RelPath,
  ROOT,
  SpacedriveError
} from '../../../storage/base/index.js'
import { type Endpoint, MAX_LOOKS } from '../../endpoints/index.js'
import type { Place, RemoteCopyInput } from './input.js'
import type { Visits } from './open-ends.js'
import type { Ends } from './ports.js'

/** Sources that lie in one folder of one device. */
export interface RemoteTree {
  readonly folder: Place
  /** Names in it, each with its name at the destination. '' is the folder itself: what it lies in is not granted. */
  readonly names: readonly { readonly name: string; readonly to: string }[]
}

/** Where everything goes. */
export interface RemoteLayout {
  /** The folder that is opened at the destination. */
  readonly root: Place
  /** A folder in it that is made first, and that everything goes into; '': none. */
  readonly make: string
  readonly trees: readonly RemoteTree[]
}

interface Source {
  readonly given: Place
  readonly folder: Place
  /** '' where the folder itself is the source. */
  readonly name: string
  readonly directory: boolean
}

/**
 * Finds out what goes where, and refuses what cannot be meant. Opens both ends and changes nothing.
 * @throws {SpacedriveError} NOT_FOUND, NOT_A_FOLDER, BAD_SOURCE, SAME_FILE, INTO_ITSELF, SOURCE_INSIDE_DESTINATION,
 *   SAME_NAME_TWICE, and what opening an end throws
 */
export async function layOutRemote(
  ends: Visits,
  input: Pick<RemoteCopyInput, 'operation' | 'sources' | 'destination' | 'into'>,
  options: AbortOptions = {}
): Promise<RemoteLayout> {
  const { operation, sources, destination, into } = input
  const found: Source[] = []
  for (const group of groups(sources)) found.push(...(await lookAtSources(ends, group, operation, options)))
  const single = found.length === 1 && !into ? found[0] : undefined
  const { root, make, newName } = await goal(ends, destination, single, found.length, options)
  const trees = new Map<string, { folder: Place; names: { name: string; to: string }[] }>()
  const taken = new Map<string, Place>()
  for (const source of found) {
    const to = newName ?? nameIn(source.given.path)
    const twin = taken.get(to)
    if (twin !== undefined) throw sameName(ends, to, twin, source.given)
    taken.set(to, source.given)
    ensureApart(ends, source, { device: root.device, path: below(root.path, make, to) }, operation)
    const key = `${source.folder.device ?? ''} ${source.name === '' ? '.' : ''}${source.folder.path}`
    const tree = trees.get(key) ?? { folder: source.folder, names: [] }
    tree.names.push({ name: source.name, to })
    trees.set(key, tree)
  }
  return { root, make, trees: [...trees.values()] }
}

/** Tells what a path below the folder of a tree is called at the destination. */
export function namer({ make }: Pick<RemoteLayout, 'make'>, { names }: RemoteTree): (path: RelPath) => RelPath {
  const known = new Map(names.map(({ name, to }) => [name, joinRel(make as RelPath, to)]))
  const whole = known.get('')
  if (whole !== undefined) return path => (path === ROOT ? whole : joinRel(whole, path))
  return path => {
    const at = path.indexOf('/')
    if (at < 0) return known.get(path)!
    return `${known.get(path.slice(0, at))!}${path.slice(at)}` as RelPath
  }
}

/** For people: the path, with the name of its device before it unless that is this one. */
export function shownPlace({ nameOf }: Pick<Ends, 'nameOf'>, { device, path }: Place): string {
  return device === null ? displayPath(path) : `${nameOf(device)}:${displayPath(path)}`
}

/** Sources of one folder are looked at together. */
function groups(sources: readonly Place[]): Place[][] {
  const byFolder = new Map<string, Place[]>()
  for (const source of sources) {
    const key = `${source.device ?? ''} ${parentFolder(source.path)}`
    byFolder.set(key, [...(byFolder.get(key) ?? []), source])
  }
  return [...byFolder.values()]
}

async function lookAtSources(
  ends: Visits,
  sources: readonly Place[],
  operation: RemoteCopyInput['operation'],
  options: AbortOptions
): Promise<Source[]> {
  const { device, path } = sources[0]!
  if (sources.some(s => nameIn(s.path) === ''))
    throw new SpacedriveError('BAD_SOURCE', `could not ${operation} /: it is the whole file system`)
  const folder = { device, path: parentFolder(path) }
  const access = operation === 'move' ? 'write' : 'read'
  const look = async (endpoint: Endpoint): Promise<Source[]> => {
    const found: Source[] = []
    for (let at = 0; at < sources.length; at += MAX_LOOKS) {
      const some = sources.slice(at, at + MAX_LOOKS)
      const looked = await endpoint.look(
        some.map(s => nameIn(s.path) as RelPath),
        options
      )
      for (const [i, given] of some.entries()) {
        const { entry, problem } = looked[i]!
        if (problem !== undefined) throw new SpacedriveError(problem.code, problem.message)
        if (entry === undefined) throw notFound(ends, given, operation)
        found.push({ given, folder, name: nameIn(given.path), directory: entry.stat.kind === 'directory' })
      }
    }
    return found
  }
  // What opening the folder throws, and not what is found in it.
  let opened = false
  try {
    return await ends.visit(
      folder,
      access,
      endpoint => {
        opened = true
        return look(endpoint)
      },
      options
    )
  } catch (err) {
    if (opened) throw err
    if (errorCode(err) === 'MISSING') throw notFound(ends, sources[0]!, operation)
    if (errorCode(err) !== 'NOT_GRANTED' || device === null) throw err
    // The folder that was named may be granted itself, and what it lies in not.
    const found: Source[] = []
    for (const given of sources) found.push(await wholeFolder(ends, given, operation, access, options))
    return found
  }
}

async function wholeFolder(
  ends: Visits,
  given: Place,
  operation: RemoteCopyInput['operation'],
  access: 'read' | 'write',
  options: AbortOptions
): Promise<Source> {
  await ends.visit(given, access, () => {}, options)
  if (operation === 'copy') return { given, folder: given, name: '', directory: true }
  throw new SpacedriveError(
    'BAD_SOURCE',
    `could not move ${shownPlace(ends, given)}: the granted folder itself stays`,
    {
      hint: 'Move what is in it, or copy it.'
    }
  )
}

/** The folder that is opened, and the new name or the folder to be made in it. */
async function goal(
  ends: Visits,
  destination: Place,
  single: Source | undefined,
  count: number,
  options: AbortOptions
): Promise<{ root: Place; make: string; newName?: string }> {
  const shown = shownPlace(ends, destination)
  const refused = async (place: Place): Promise<'folder' | 'file' | 'nothing'> => {
    try {
      return await ends.visit(place, 'write', () => 'folder' as const, options)
    } catch (err) {
      const code = errorCode(err)
      if (code === 'MISSING') return 'nothing'
      if (code === 'NOT_A_DIRECTORY') return 'file'
      throw err
    }
  }
  const there = await refused(destination)
  if (there === 'folder') return { root: destination, make: '' }
  if (there === 'file' && (single === undefined || single.directory)) {
    const what = count > 1 ? `${count} things` : 'a folder'
    throw new SpacedriveError('NOT_A_FOLDER', `could not put ${what} into ${shown}: it is a file`, {
      hint: 'Name a folder, or a name that does not exist yet.'
    })
  }
  const around = { device: destination.device, path: parentFolder(destination.path) }
  const folder = await refused(around)
  if (folder !== 'folder') {
    const why = folder === 'nothing' ? 'does not exist' : 'is no folder'
    throw new SpacedriveError(
      folder === 'nothing' ? 'NOT_FOUND' : 'NOT_A_FOLDER',
      `could not write to ${shown}: ${shownPlace(ends, around)} ${why}`,
      { hint: 'Make the folder first, or check the spelling.' }
    )
  }
  const name = nameIn(destination.path)
  return single === undefined ? { root: around, make: name } : { root: around, make: '', newName: name }
}

/** By names: what leads to the same folder by other names is seen while it is walked (`walking.ts`). */
function ensureApart(ends: Visits, { given, directory }: Source, to: Place, operation: string): void {
  if (given.device !== to.device) return
  const [from, goes] = [shownPlace(ends, given), shownPlace(ends, to)]
  if (given.path === to.path)
    throw new SpacedriveError('SAME_FILE', `could not ${operation} ${from}: it would go onto itself`, {
      hint: 'Name another destination.'
    })
  if (directory && isWithin(to.path, given.path))
    throw new SpacedriveError('INTO_ITSELF', `could not ${operation} ${from} to ${goes}: that lies in it`, {
      hint: 'A folder cannot hold itself: name a destination outside of it.'
    })
  if (isWithin(given.path, to.path))
    throw new SpacedriveError(
      'SOURCE_INSIDE_DESTINATION',
      `could not ${operation} ${from} to ${goes}: it lies in what it would be put over`,
      { hint: 'Give it another name there, or move it out first.' }
    )
}

const parentFolder = (path: AbsPath): AbsPath => (path.slice(0, path.lastIndexOf('/')) || '/') as AbsPath
const nameIn = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const below = (root: AbsPath, ...names: string[]): AbsPath =>
  [root === '/' ? '' : root, ...names.filter(n => n !== '')].join('/') as AbsPath

function notFound(ends: Visits, given: Place, operation: string): SpacedriveError {
  const shown = shownPlace(ends, given)
  return new SpacedriveError('NOT_FOUND', `could not ${operation} ${shown}: there is no such file or folder`, {
    hint: 'Check the spelling.'
  })
}

function sameName(ends: Visits, name: string, a: Place, b: Place): SpacedriveError {
  return new SpacedriveError(
    'SAME_NAME_TWICE',
    `could not begin: ${shownPlace(ends, a)} and ${shownPlace(ends, b)} would both become ${displayPath(name)}`,
    { hint: 'Copy them one after the other under different names.' }
  )
}
