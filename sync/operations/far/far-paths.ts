import type { AbortOptions, AbsPath, DeviceId, Problem, RelPath } from '../../../storage/base/index.js'
import { displayPath, errorCode, SpacedriveError } from '../../../storage/base/index.js'
import { type Ends, shownPlace } from '../../copy/index.js'
import { type Endpoint, MAX_LOOKS, type TreeEntry } from '../../endpoints/index.js'

/** Paths in one folder of a device. */
export interface FarGroup {
  readonly folder: AbsPath
  readonly names: readonly string[]
}

/** In the order in which the folders come. */
export function farGroups(paths: readonly string[]): FarGroup[] {
  const groups = new Map<AbsPath, Set<string>>()
  for (const path of paths) {
    const at = path.lastIndexOf('/')
    const folder = (path.slice(0, at) || '/') as AbsPath
    groups.set(folder, (groups.get(folder) ?? new Set()).add(path.slice(at + 1)))
  }
  return [...groups].map(([folder, names]) => ({ folder, names: [...names] }))
}

export const pathIn = (folder: AbsPath, name: string): AbsPath => `${folder === '/' ? '' : folder}/${name}` as AbsPath

/**
 * Opens the folder that paths lie in. Where that is not granted, but the one path is: that itself, and `top` is ''.
 * @throws what opening throws; PROTECTED where the granted folder itself was meant to change
 */
export async function openAround(
  ends: Pick<Ends, 'open' | 'nameOf'>,
  device: DeviceId,
  { folder, names }: FarGroup,
  access: 'read' | 'write',
  options: AbortOptions
): Promise<{ endpoint: Endpoint; tops: readonly RelPath[] }> {
  try {
    return { endpoint: await ends.open({ device, path: folder }, access, options), tops: names as readonly RelPath[] }
  } catch (err) {
    const [only] = names
    if (errorCode(err) !== 'NOT_GRANTED' || names.length !== 1) throw err
    const path = pathIn(folder, only!)
    const endpoint = await ends.open({ device, path }, access, options)
    if (access === 'read') return { endpoint, tops: ['' as RelPath] }
    await endpoint.close()
    throw new SpacedriveError(
      'PROTECTED',
      `${shownPlace(ends, { device, path })} is the granted folder itself: it stays`,
      {
        hint: 'Nothing was changed. Name what is in it.'
      }
    )
  }
}

/** What is at these paths now; what is not there is a problem. */
export async function lookAtTops(
  endpoint: Endpoint,
  tops: readonly RelPath[],
  options: AbortOptions
): Promise<{ entries: TreeEntry[]; problems: Problem[] }> {
  const entries: TreeEntry[] = []
  const problems: Problem[] = []
  for (let at = 0; at < tops.length; at += MAX_LOOKS) {
    for (const { path, entry, problem } of await endpoint.look(tops.slice(at, at + MAX_LOOKS), options)) {
      const shown = displayPath(path)
      if (problem !== undefined) problems.push(problem)
      else if (entry === undefined) problems.push({ path: shown, code: 'MISSING', message: `${shown} is not there` })
      else if (entry.unknown !== undefined)
        problems.push({ path: shown, code: 'UNKNOWN_ENTRY', message: `${shown} cannot be reached from another device` })
      else entries.push(entry)
    }
  }
  return { entries, problems }
}
