import { z } from 'zod'
import { formatTime } from './format.js'
import { limitOption } from './number-option.js'
import { defineOperation } from './operation.js'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 1_000

/** What a state of ours means to the person who wrote it. */
const STATES: Readonly<Record<string, string>> = {
  waiting: 'waits for the device',
  refused: 'was refused',
  expired: 'was given up',
  cancelled: 'was cancelled'
}

export const networkMessages = defineOperation({
  name: 'network.messages',
  summary: 'Texts from and to paired devices; those shown count as read',
  input: z.strictObject({
    device: z.string().min(1).max(512).optional(),
    unread: z.boolean().optional(),
    limit: z.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
    peek: z.boolean().optional()
  }),
  async run({ peer }, { device, ...query }) {
    const found = device === undefined ? undefined : peer.devices.resolve(device).id
    const { texts, more } = await peer.messages.texts({ ...query, device: found })
    const messages = texts.map(t => ({
      id: t.id,
      device: t.device,
      name: peer.devices.nameOf(t.device),
      direction: t.direction,
      text: t.text,
      at: t.atMs,
      sentAt: t.sentAtMs,
      state: t.state
    }))
    return { messages, more, unread: peer.messages.unreadTexts() }
  },
  command: {
    path: 'network messages',
    options: [
      ['--device <device>', 'only of this device'],
      ['--unread', 'only what was not shown before'],
      ['--limit <n>', `so many, the newest (${DEFAULT_LIMIT})`],
      ['--peek', 'leave them unread']
    ],
    examples: ['spacedrive network messages --unread', 'spacedrive network messages --device laptop --limit 200'],
    input({ options }) {
      const { device, unread, limit, peek } = options as { device?: string; unread?: true; limit?: string; peek?: true }
      return { device, unread, peek, ...limitOption(limit, MAX_LIMIT) }
    },
    render({ messages, more }, terminal) {
      if (more) terminal.note('Older ones are left out: --limit shows more.')
      if (messages.length === 0) terminal.line('No messages.')
      for (const m of messages) {
        const who = m.direction === 'in' ? `${m.name}:` : `to ${m.name}:`
        const state = m.direction === 'out' ? STATES[m.state] : m.state === 'unread' ? 'new' : undefined
        terminal.line(
          `${terminal.dim(formatTime(m.at))}  ${terminal.bold(who)}${state === undefined ? '' : `  (${state})`}`
        )
        // Each line is set in, so that no text can look like the heading of another.
        if (m.text === null) terminal.line('    (the text is no longer kept)')
        else for (const line of m.text.split(/\r?\n/)) terminal.line(`    ${line.replaceAll('\t', '    ')}`)
      }
    }
  }
})
