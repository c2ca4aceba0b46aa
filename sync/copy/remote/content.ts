import {
  type AbortOptions,
  type AbsPath,
  type ContentHash,
  type DeviceId,
  parentOf,
  type RelPath,
  SpacedriveError
} from '../../../storage/base/index.js'
import { isAway } from './away.js'
import type { Place } from './input.js'
import type { RemoteCopyComponents } from './ports.js'

/**
 * A file with this content, wherever one may be had: here first, then on the devices that are connected, each of which tells
 * only what it lets this one read. What an index says is not believed: each is hashed where it lies.
 * @throws {SpacedriveError} NOT_FOUND, naming who was asked and who is away
 */
export async function findContent(
  { ends, index, devices }: Pick<RemoteCopyComponents, 'ends' | 'index' | 'devices'>,
  hash: ContentHash,
  options: AbortOptions = {}
): Promise<Place> {
  const here = (await index.copiesOf(hash, options)).map(c => c.path)
  const found = await firstWith(ends, null, here, hash, options)
  if (found !== undefined) return found
  const asked = ['this device']
  const away: string[] = []
  for (const device of devices()) {
    try {
      if (!ends.isConnected(device)) throw new SpacedriveError('DEVICE_AWAY', 'not connected')
      const place = await firstWith(ends, device, await ends.find(device, hash, options), hash, options)
      if (place !== undefined) return place
      asked.push(ends.nameOf(device))
    } catch (err) {
      options.signal?.throwIfAborted()
      if (!isAway(err)) throw err
      away.push(ends.nameOf(device))
    }
  }
  const missing = away.length === 0 ? '' : `; away: ${away.join(', ')}`
  throw new SpacedriveError('NOT_FOUND', `nobody has content:${hash}; asked: ${asked.join(', ')}${missing}`, {
    hint: 'It is found by its hash where its folder is indexed with hashes and granted to this device.'
  })
}

async function firstWith(
  ends: RemoteCopyComponents['ends'],
  device: DeviceId | null,
  paths: readonly AbsPath[],
  hash: ContentHash,
  options: AbortOptions
): Promise<Place | undefined> {
  for (const path of paths) {
    const folder = (parentOf(path as string as RelPath) || '/') as string as AbsPath
    try {
      const endpoint = await ends.open({ device, path: folder }, 'read', options)
      try {
        const name = path.slice(path.lastIndexOf('/') + 1) as RelPath
        for await (const file of endpoint.hash([name], options))
          if (file.problem === undefined && file.hash === hash) return { device, path }
      } finally {
        await endpoint.close()
      }
    } catch (err) {
      options.signal?.throwIfAborted()
      // Gone, or no longer granted: the next one.
      if (isAway(err)) throw err
    }
  }
  return undefined
}
