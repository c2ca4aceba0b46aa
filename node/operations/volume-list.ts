import { z } from 'zod'
import { displayPath } from '../../storage/base/index.js'
import type { Volume } from '../../storage/volumes/index.js'
import { formatBytes } from './format.js'
import { defineOperation } from './operation.js'

/** A volume as the API shows it: paths in display form. */
export function volumeFacts(v: Volume) {
  return {
    ...v,
    name: displayPath(v.name),
    mountPoint: displayPath(v.mountPoint),
    mountPoints: v.mountPoints.map(displayPath)
  }
}

export const volumeList = defineOperation({
  name: 'volume.list',
  summary: 'The disks that are mounted, and tracked ones that are away',
  input: z.strictObject({ all: z.boolean().default(false) }),
  async run({ peer }, { all }) {
    const volumes = await peer.volumes.list({ all })
    const tracked = new Map(peer.volumes.tracked().map(t => [t.id, t]))
    const here = new Set(volumes.map(v => v.id))
    return {
      volumes: volumes.map(v => ({
        ...volumeFacts(v),
        tracked: tracked.has(v.id),
        trackedName: tracked.get(v.id)?.name ?? null
      })),
      away: [...tracked.values()]
        .filter(t => !here.has(t.id))
        .map(t => ({ ...t, lastMountPoint: displayPath(t.lastMountPoint) }))
    }
  },
  command: {
    path: 'volume list',
    options: [['--all', 'memory disks and overlays too']],
    examples: ['spacedrive volume list'],
    input: ({ options }) => ({ all: options.all === true }),
    render({ volumes, away }, terminal) {
      terminal.table(
        volumes.map(v => ({
          NAME: v.trackedName ?? v.name,
          'MOUNTED AT': v.mountPoint,
          TYPE: v.fileSystem,
          DISK: [v.diskKind, v.removable ? 'removable' : '', v.readOnly ? 'read-only' : ''].filter(Boolean).join(', '),
          SIZE: formatBytes(v.totalBytes),
          FREE: formatBytes(v.availableBytes),
          TRACKED: v.tracked ? 'yes' : ''
        }))
      )
      for (const t of away) terminal.line(`${t.name} is away; it was last at ${t.lastMountPoint}`)
    }
  }
})
