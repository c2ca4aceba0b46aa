import { z } from 'zod'
import { type DeviceId, linkSignals, type MessageId, SpacedriveError } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'
import { defineOperation } from './operation.js'

/**
 * How long a device that stays connected may take to have it before we say that it waits: a slow link, a machine that is busy.
 * As for a drop; one that goes away is not waited for.
 */
const DELIVERY_WAIT_MS = 30_000

export const networkSendMessage = defineOperation({
  name: 'network.send-message',
  summary: 'Send a text to the person at a paired device',
  input: z.strictObject({ device: z.string().min(1).max(512), text: z.string() }),
  async run({ peer, signal }, { device, text }) {
    const { id, name } = peer.devices.resolve(device)
    const message = await peer.messages.sendText(id, text)
    const outcome = await delivered(peer, id, message, signal)
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

/** @returns what became of it; undefined when it waits for the device */
async function delivered(peer: Peer, device: DeviceId, message: MessageId, signal: AbortSignal) {
  const session = peer.network.session(device)
  if (session === undefined) return undefined
  const linked = linkSignals(signal, session.signal)
  try {
    return await peer.messages.settled(message, DELIVERY_WAIT_MS, { signal: linked.signal })
  } catch (err) {
    if (signal.aborted || !session.signal.aborted) throw err
    return undefined
  } finally {
    linked.clear()
  }
}
