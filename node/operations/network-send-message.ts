import { z } from 'zod'
import { SpacedriveError } from '../../storage/base/index.js'
import { defineOperation } from './operation.js'

/** How long a connected device may take to have it before we say that it waits: a slow link, not a person's patience. */
const DELIVERY_WAIT_MS = 5_000

export const networkSendMessage = defineOperation({
  name: 'network.send-message',
  summary: 'Send a text to the person at a paired device',
  input: z.strictObject({ device: z.string().min(1).max(512), text: z.string() }),
  async run({ peer, signal }, { device, text }) {
    const { id, name } = peer.devices.resolve(device)
    const message = await peer.messages.sendText(id, text)
    const connected = peer.network.session(id) !== undefined
    const outcome = connected ? await peer.messages.settled(message, DELIVERY_WAIT_MS, { signal }) : undefined
    if (outcome === 'refused' || outcome === 'expired' || outcome === 'cancelled') {
      throw new SpacedriveError('REFUSED', `${name} did not take the message`, {
        hint: 'Its version may be older than this one: see `spacedrive network devices`.'
      })
    }
    return { message, device: id, name, state: outcome ?? 'waiting' }
  },
  command: {
    path: 'network send-message',
    arguments: [
      ['<device>', 'id, first 8 letters or more of it, or name'],
      ['[text]', 'what to say; left out or -: read from standard input']
    ],
    examples: [
      'spacedrive network send-message laptop "Dinner is ready"',
      'fortune | spacedrive network send-message laptop'
    ],
    async input(typed, terminal) {
      const [device, text] = typed.arguments as [string, string | undefined]
      if (text !== undefined && text !== '-') return { device, text }
      const piped = new TextDecoder().decode(await terminal.readStdin())
      return { device, text: piped.replace(/\n$/, '') }
    },
    render({ name, state }, terminal) {
      terminal.line(
        state === 'delivered'
          ? `Delivered to ${name}.`
          : `${name} is away: the message waits here until it is connected.`
      )
    }
  }
})
