import { type AbortOptions, type AbsPath, errorCode, isWithin, type RelPath } from '../../../storage/base/index.js'
import type { Endpoint } from '../../endpoints/index.js'
import { route } from '../router.js'
import type { RemoteCopyInput } from './input.js'
import { namer, type RemoteLayout, type RemoteTree } from './layout.js'
import type { Ends } from './ports.js'

/**
 * Sources of a move that stay on their device and whose new name is free: one rename there each, where one grant covers both
 * places. What is left goes the long way, by way of this device.
 * @param renamed - told of each, before the next
 */
export async function renameWhole(
  ends: Pick<Ends, 'open'>,
  input: Pick<RemoteCopyInput, 'operation' | 'include' | 'exclude'>,
  layout: RemoteLayout,
  { signal, renamed }: AbortOptions & { renamed(): Promise<void> }
): Promise<void> {
  if (input.operation !== 'move' || input.include.length + input.exclude.length > 0) return
  const options = { ...(signal && { signal }) }
  for (const tree of layout.trees) {
    if (tree.folder.device !== layout.root.device) continue
    const around = commonFolder(tree.folder.path, layout.root.path)
    const endpoint = await openedWhole(ends, { device: layout.root.device, path: around }, options)
    if (endpoint === undefined) continue
    try {
      for (const { name } of tree.names)
        if (await renameOne(endpoint, around, layout, tree, name, options)) await renamed()
    } finally {
      await endpoint.close()
    }
  }
}

async function openedWhole(
  ends: Pick<Ends, 'open'>,
  place: RemoteLayout['root'],
  options: AbortOptions
): Promise<Endpoint | undefined> {
  try {
    return await ends.open(place, 'write', options)
  } catch (err) {
    if (errorCode(err) === 'NOT_GRANTED') return undefined
    throw err
  }
}

async function renameOne(
  endpoint: Endpoint,
  around: AbsPath,
  layout: RemoteLayout,
  tree: RemoteTree,
  name: string,
  options: AbortOptions
): Promise<boolean> {
  const path = below(around, tree.folder.path, name as RelPath)
  const to = below(around, layout.root.path, namer(layout, tree)(name as RelPath))
  const [source, target] = await endpoint.look([path, to], options)
  if (source?.entry === undefined || source.entry.unknown !== undefined) return false
  if (target?.entry !== undefined || target?.problem !== undefined) return false
  const { device: volume, mount, sizeBytes } = source.entry.stat
  const [folder] = await endpoint.look([below(around, layout.root.path, '' as RelPath)], options)
  const there = folder?.entry?.stat
  const sameVolume = there !== undefined && there.device === volume && there.mount === mount
  const facts = {
    move: true,
    remote: false,
    verify: false,
    reflinks: 'no',
    kernel: false,
    sizeBytes,
    sameVolume
  } as const
  if (route(facts).strategy !== 'rename') return false
  // Whatever refuses it is told by the long way.
  const [result] = await endpoint.place([{ kind: 'move', path, to, expected: source.entry.stat }], options)
  return result?.done === true
}

const below = (around: AbsPath, folder: AbsPath, path: RelPath): RelPath =>
  [folder.slice(around === '/' ? 1 : around.length + 1), path].filter(part => part !== '').join('/') as RelPath

function commonFolder(a: AbsPath, b: AbsPath): AbsPath {
  let common = a
  while (!isWithin(b, common)) common = (common.slice(0, common.lastIndexOf('/')) || '/') as AbsPath
  return common
}
