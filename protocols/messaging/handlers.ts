import { type DeviceId, type MessageId, SpacedriveError } from '../../storage/base/index.js'
import { isKind } from './frames.js'
import type { Json } from './json.js'

export interface ReceivedMessage {
  readonly id: MessageId
  readonly device: DeviceId
  readonly kind: string
  readonly body: Json
  /** The sender's clock. */
  readonly sentAt: number
  readonly receivedAt: number
}

/** What a part of the program does with one kind of message; bodies are JSON, everything beyond that is for it to check. */
export interface KindHandlers {
  /** Looks at the body of a kept message before it is taken; one that is refused here is refused for good (MALFORMED). */
  check?(body: Json): boolean
  /**
   * A kept message. It is durable and acknowledged before this is called: in order for each device, once, unless the daemon
   * ends (or this fails) before it resolved: then again at the next start, with the same id, at most MAX_HANDLER_ATTEMPTS times.
   */
  message?(message: ReceivedMessage, context: { signal: AbortSignal }): Promise<void> | void
  /** Something that is worth nothing later. */
  notification?(body: Json, device: DeviceId): void
  /** @throws a SpacedriveError whose code the device is told when it is a public one (protocols/wire/wire-error.ts) */
  request?(body: Json, context: { device: DeviceId; signal: AbortSignal }): Promise<Json> | Json
}

/** The handlers by kind. Kinds are registered before the network starts: a message of an unknown kind is refused for good. */
export class Handlers {
  readonly #byKind = new Map<string, KindHandlers>()

  add(kind: string, handlers: KindHandlers): void {
    if (!isKind(kind)) throw new SpacedriveError('USAGE', `${JSON.stringify(kind)} is not a kind of message`)
    if (this.#byKind.has(kind)) throw new SpacedriveError('USAGE', `messages of kind ${kind} have a handler already`)
    this.#byKind.set(kind, handlers)
  }

  get(kind: string): KindHandlers | undefined {
    return this.#byKind.get(kind)
  }
}
