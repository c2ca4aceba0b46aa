import { z } from 'zod'
import { defineOperation } from './operation.js'

export const volumeTrack = defineOperation({
  name: 'volume.track',
  summary: 'Remember a disk by name, also while it is away',
  input: z.strictObject({
    volume: z.string().min(1),
    name: z.string().min(1).max(255).optional(),
    /** False: forget it. */
    track: z.boolean().default(true)
  }),
  async run({ peer }, { volume: what, name, track }) {
    if (!track) {
      const known = peer.volumes.tracked().find(t => t.id === what || t.name === what || t.lastMountPoint === what)
      const id = known?.id ?? (await peer.volumes.find(what)).id
      return { id, name: known?.name ?? what, tracked: false, changed: await peer.volumes.untrack(id) }
    }
    const volume = await peer.volumes.find(what)
    const tracked = await peer.volumes.track(volume.id, name)
    return { id: tracked.id, name: tracked.name, tracked: true, changed: true }
  },
  command: {
    path: 'volume track',
    arguments: [['<volume>', 'its name, id, or where it is mounted']],
    options: [
      ['--name <name>', 'what to call it'],
      ['--forget', 'stop remembering it']
    ],
    examples: ['spacedrive volume track /media/photos --name Photos', 'spacedrive volume track Photos --forget'],
    input: ({ arguments: [volume], options }) => ({
      volume: String(volume),
      ...(typeof options.name === 'string' ? { name: options.name } : {}),
      track: options.forget !== true
    }),
    render({ name, tracked, changed }, terminal) {
      if (tracked) terminal.line(`${name} is tracked: it is known wherever it is mounted.`)
      else terminal.line(changed ? `${name} is no longer tracked.` : `${name} was not tracked.`)
    }
  }
})
