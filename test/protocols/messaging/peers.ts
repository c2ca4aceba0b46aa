import { type Messaging, messaging } from '../../../protocols/messaging/index.js'
import {
  type AbsPath,
  type Clock,
  type DeviceId,
  type EventBus,
  type EventName,
  type EventOf,
  eventBus,
  silentLog,
  systemClock,
  systemRandom
} from '../../../storage/base/index.js'
import { type InstanceDatabase, openInstance } from '../../../storage/instance/index.js'
import { type LoopNetwork, loopNetwork } from '../loop-network.js'

export interface MessagingPeer {
  readonly network: LoopNetwork
  readonly device: DeviceId
  readonly events: EventBus
  readonly db: InstanceDatabase
  readonly messages: Messaging
  readonly unpaired: Set<DeviceId>
  once<K extends EventName>(type: K): Promise<EventOf<K>>
  /** Ends the parts and, unless told to keep it, the network. */
  stop(): Promise<void>
}

/** Messaging on a real database and a real libp2p node; `prepare` registers handlers before the start. */
export async function messagingPeer(
  dataDir: AbsPath,
  options: { network?: LoopNetwork; clock?: Clock; prepare?: (messages: Messaging) => void } = {}
): Promise<MessagingPeer> {
  const network = options.network ?? (await loopNetwork())
  const events = eventBus()
  const db = await openInstance(dataDir)
  const unpaired = new Set<DeviceId>()
  const messages = messaging({
    db,
    network,
    trust: { isPaired: device => !unpaired.has(device), nameOf: device => device.slice(-6) },
    events,
    clock: options.clock ?? systemClock,
    random: systemRandom,
    log: silentLog
  })
  options.prepare?.(messages)
  await messages.start()
  return {
    network,
    device: network.localDevice,
    events,
    db,
    messages,
    unpaired,
    once: type =>
      new Promise(resolve => {
        const off = events.on(type, event => {
          off()
          resolve(event)
        })
      }),
    async stop() {
      await messages.stop()
      if (options.network === undefined) await network.stop()
      await db.close()
    }
  }
}
