/**
 * Messaging `/spacedrive/messaging/1.0.0`: small JSON messages between paired devices (docs/protocols/messaging.md).
 *
 *   const messages = messaging({ db, network, trust, events, clock, random, log })
 *   messages.handle('sync.request', { request: async (body, { device }) => ({ accepted: true }) })
 *   await messages.start()
 *   await messages.post(device, 'note', { n: 1 })            // kept until the device has it, delivered once and in order
 *   await messages.request(device, 'sync.request', { ... })  // answered or failed within a deadline; the device is connected
 *   await messages.notify(device, 'note.typing', null)       // now or never
 *
 * How it works. Whoever has something to say opens a stream, sends numbered frames, and closes it when idle (link.ts); the
 * other side answers each frame once (serve.ts). `post` writes the outbox first (messages.worker.ts); delivery.ts empties it
 * while the device is connected. The receiver makes a message durable under its id before it acknowledges (inbox.ts), so a
 * message whose acknowledgement was lost is sent again and taken once. Texts stay until a person has read them (text.ts).
 */
import type {
  AbortOptions,
  Clock,
  DeviceId,
  EventBus,
  Logger,
  MessageId,
  Random,
  Startable
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { PeerNetwork, PeerTrust } from '../wire/index.js'
import type { Outcome } from './delivery.js'
import type { KindHandlers } from './handlers.js'
import type { Json } from './json.js'
import type { Presence } from './presence.js'
import { MessagingService } from './service.js'
import type { TextMessage } from './text.js'

export type { Outcome } from './delivery.js'
export type { KindHandlers, ReceivedMessage } from './handlers.js'
export { type Json, toJson } from './json.js'
export * as messagingLimits from './limits.js'
export type { Presence } from './presence.js'
export type { TextMessage } from './text.js'

export const MESSAGING_PROTOCOL = '/spacedrive/messaging/1.0.0'

export interface MessagingInit {
  db: Database
  network: PeerNetwork
  trust: PeerTrust
  events: EventBus
  clock: Clock
  random: Random
  log: Logger
}

export interface Messaging extends Startable {
  /** Registers what is done with a kind; before `start`. One owner for each kind. */
  handle(kind: string, handlers: KindHandlers): void
  /**
   * Keeps a message in the outbox until the device has it; resolves once it is durable here.
   * @param options.lifetimeMs - given up after that, at most OUTBOX_LIFETIME_MS
   * @throws NOT_PAIRED, TOO_LARGE, OUTBOX_FULL
   */
  post(device: DeviceId, kind: string, body: unknown, options?: { lifetimeMs?: number }): Promise<MessageId>
  /** What became of a message within `timeoutMs`; undefined while it waits. */
  settled(id: MessageId, timeoutMs: number, options?: AbortOptions): Promise<Outcome | undefined>
  /** Says something that is worth nothing later. @returns false when the device is away or did not take it */
  notify(device: DeviceId, kind: string, body: unknown): Promise<boolean>
  /** @throws DEVICE_AWAY, NOT_PAIRED, TIMEOUT, or the code that the device answered (`details.remote`) */
  request(
    device: DeviceId,
    kind: string,
    body: unknown,
    options?: AbortOptions & { deadlineMs?: number }
  ): Promise<Json>
  /** Posts a text for the person at the other device. @throws as `post`, EMPTY */
  sendText(device: DeviceId, text: string): Promise<MessageId>
  /** Adds a text that came or went another way (a text drop) to what `texts` shows; a second time with the same id does nothing. */
  recordText(text: {
    id: MessageId
    device: DeviceId
    direction: 'in' | 'out'
    text: string
    sentAtMs: number
  }): Promise<void>
  /** The newest texts, oldest first; unread ones count as read afterwards unless `peek`. `more`: older ones were left out. */
  texts(query: {
    device?: DeviceId | undefined
    unread?: boolean | undefined
    limit: number
    peek?: boolean | undefined
  }): Promise<{ texts: TextMessage[]; more: boolean }>
  unreadTexts(): number
  /** The device is revoked: what waits for it goes (`cancelled`), what it sent to be handled too; its texts stay readable. */
  forget(device: DeviceId): Promise<void>
  /** What a device last said of itself in this run. */
  presence(device: DeviceId): Presence | undefined
}

export function messaging(init: MessagingInit): Messaging {
  return new MessagingService(init, MESSAGING_PROTOCOL)
}
