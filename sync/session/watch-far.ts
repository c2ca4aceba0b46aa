import { SpacedriveError } from '../../storage/base/index.js'
import type { FarEnds } from './far-ends.js'
import type { SyncEnd } from './record.js'
import type { FolderListener } from './watch-folder.js'
import type { EndWatch } from './watched-ends.js'

/**
 * Watches an end that lies on another device: one open folder there, which says something only when something changed. Returns
 * once it is watched. @throws {SpacedriveError} DEVICE_AWAY, UNREACHABLE, NOT_GRANTED, what that device says
 */
export async function watchFar(
  far: FarEnds | undefined,
  sync: string,
  { device, path }: SyncEnd,
  listener: FolderListener
): Promise<EndWatch> {
  if (far === undefined || device === null || !far.isConnected(device))
    throw new SpacedriveError('DEVICE_AWAY', 'the other device is away')
  const endpoint = await far.open({ device, path, sync, access: 'read' }, {})
  const stopping = new AbortController()
  const pages = endpoint.sync!.watch({ signal: stopping.signal })[Symbol.asyncIterator]()
  const first = await pages.next().catch(async err => {
    await endpoint.close()
    throw err
  })
  const follow = async (): Promise<void> => {
    for (let page = first; page.done !== true; page = await pages.next()) {
      const { note, changes } = page.value
      listener.note(note)
      if (changes.length > 0) listener.changed(changes)
    }
  }
  const following = follow()
    .catch(() => {}) // why it ended, the next session tells in its words
    .then(async () => {
      await endpoint.close().catch(() => {})
      if (!stopping.signal.aborted) listener.lost()
    })
  return {
    async stop() {
      stopping.abort(new SpacedriveError('STOPPED', 'the folder is no longer watched'))
      await following
    }
  }
}
