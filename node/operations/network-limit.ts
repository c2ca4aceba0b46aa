import { z } from 'zod'
import type { RateLimit } from '../../protocols/pace/index.js'
import { SpacedriveError } from '../../storage/base/index.js'
import { asTyped } from './as-typed.js'
import { formatRate, parseBytes } from './format.js'
import { defineOperation } from './operation.js'

/** null: no limit. */
const rate = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).nullable().optional()

export const networkLimit = defineOperation({
  name: 'network.limit',
  summary: 'How fast content may go to and from other devices',
  input: z.strictObject({
    /** All devices together unless given. */
    device: z.string().min(1).max(512).optional(),
    /** Bytes a second. What is left out stays as it is. */
    up: rate,
    down: rate,
    /** `08:00-18:30`; null: always. */
    schedule: z.string().max(64).nullable().optional()
  }),
  async run({ peer }, { device: wanted, up, down, schedule }) {
    const { parseSchedule, scheduleText } = await import('../../protocols/pace/index.js')
    const device = wanted === undefined ? undefined : peer.devices.resolve(wanted)
    if (up !== undefined || down !== undefined || schedule !== undefined) {
      if (device !== undefined && !peer.devices.isPaired(device.id))
        throw new SpacedriveError('NOT_PAIRED', `${device.name} is not paired with this device`)
      const before = peer.limits.find(device?.id)
      const limit: RateLimit = {
        device: device?.id,
        up: up === undefined ? before?.up : (up ?? undefined),
        down: down === undefined ? before?.down : (down ?? undefined),
        schedule: schedule === undefined ? before?.schedule : schedule === null ? undefined : parseSchedule(schedule)
      }
      if (limit.up === undefined && limit.down === undefined && schedule !== undefined && schedule !== null)
        throw new SpacedriveError('USAGE', 'expected a rate for these hours: --up, --down or both')
      await peer.limits.set(limit)
    }
    return {
      limits: peer.limits
        .list()
        .filter(limit => wanted === undefined || limit.device === undefined || limit.device === device!.id)
        .map(limit => ({
          device: limit.device ?? null,
          name: limit.device === undefined ? null : peer.devices.nameOf(limit.device),
          ...{ up: limit.up ?? null, down: limit.down ?? null },
          schedule: limit.schedule === undefined ? null : scheduleText(limit.schedule)
        }))
    }
  },
  command: {
    path: 'network limit',
    options: [
      ['--device <device>', 'for this one alone; default: all together. Both limits hold'],
      ['--up <rate>', 'to other devices, a second, such as 500K or 2M; none: no limit'],
      ['--down <rate>', 'from other devices'],
      ['--schedule <hours>', 'when it holds, such as 08:00-18:30; always: at all hours']
    ],
    examples: [
      'spacedrive network limit',
      'spacedrive network limit --up 500K --down 5M --schedule 08:00-18:00',
      'spacedrive network limit --device nas --up none --down none'
    ],
    input({ options }) {
      const { device, up, down, schedule } = options as Record<
        'device' | 'up' | 'down' | 'schedule',
        string | undefined
      >
      return {
        ...(device !== undefined && { device }),
        ...(up !== undefined && { up: rateOf('--up', up) }),
        ...(down !== undefined && { down: rateOf('--down', down) }),
        ...(schedule !== undefined && { schedule: schedule === 'always' ? null : schedule })
      }
    },
    render({ limits }, terminal) {
      if (limits.length === 0) {
        terminal.line('No limits: content goes as fast as it can.')
        return
      }
      const shown = (bytes: number | null): string => (bytes === null ? '-' : formatRate(bytes))
      terminal.table(
        limits.map(({ name, up, down, schedule }) => ({
          ...{ DEVICE: name ?? 'all together', UP: shown(up), DOWN: shown(down), HOURS: schedule ?? 'always' }
        }))
      )
    }
  }
})

function rateOf(option: string, text: string): number | null {
  if (text === 'none') return null
  const bytes = parseBytes(text.replace(/\/s$/i, ''))
  if (bytes !== undefined && bytes > 0) return bytes
  throw new SpacedriveError('USAGE', `expected a rate such as 500K after ${option}, got ${asTyped(text)}`, {
    hint: 'Bytes a second; `none` takes the limit away.'
  })
}
