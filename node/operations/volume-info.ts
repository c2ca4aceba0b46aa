import { z } from 'zod'
import { formatBytes, formatRate, formatTime } from './format.js'
import { defineOperation } from './operation.js'
import { volumeFacts } from './volume-list.js'

export const volumeInfo = defineOperation({
  name: 'volume.info',
  summary: 'All about one disk',
  input: z.strictObject({ volume: z.string().min(1) }),
  async run({ peer }, { volume: what }) {
    const volume = await peer.volumes.find(what)
    const tracked = peer.volumes.tracked().find(t => t.id === volume.id)
    return { ...volumeFacts(volume), trackedName: tracked?.name ?? null, speed: tracked?.speed ?? null }
  },
  command: {
    path: 'volume info',
    arguments: [['<volume>', 'its name, id, or where it is mounted']],
    examples: ['spacedrive volume info /media/photos'],
    input: ({ arguments: [volume] }) => ({ volume: String(volume) }),
    render(v, terminal) {
      const rows: [string, string][] = [
        ['Name', v.trackedName ?? v.name],
        ['Id', v.identified ? v.id : `${v.id} (a guess: nothing better to know it by)`],
        ['Mounted at', v.mountPoints.join(', ')],
        ['File system', `${v.fileSystem} on ${v.source}`],
        ['Disk', [v.diskKind, v.removable ? 'removable' : '', v.network ? 'network' : ''].filter(Boolean).join(', ')],
        ['Size', `${formatBytes(v.totalBytes)}, ${formatBytes(v.availableBytes)} free`],
        ['Read-only', v.readOnly ? 'yes' : 'no'],
        ['Copy on write', v.copyOnWrite ? 'yes' : 'no'],
        ['Tracked', v.trackedName === null ? 'no' : 'yes']
      ]
      if (v.speed !== null) {
        const { writeBytesPerSecond, readBytesPerSecond, measuredAtMs } = v.speed
        rows.push([
          'Speed',
          `writes ${formatRate(writeBytesPerSecond)}, reads ${formatRate(readBytesPerSecond)} (${formatTime(measuredAtMs)})`
        ])
      }
      for (const [name, value] of rows) terminal.line(`${name.padEnd(14)} ${value}`)
    }
  }
})
