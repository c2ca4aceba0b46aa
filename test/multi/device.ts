/** One device inside a role's process: a real peer with its own data directory, driven through the same operations as the command line. */
import { join } from 'node:path'
import { createNode, type SpacedriveNode } from '../../node/index.js'
import type { AnyEvent, EventName, EventOf } from '../../storage/base/index.js'
import type { Board, RoleContext } from '../scenario.js'
import { WAIT_MS } from '../waits.js'

export interface Device {
  readonly node: SpacedriveNode
  readonly board: Board
  readonly role: string
  /** Where others reach it. */
  address(): Promise<string>
  /** Shows a code and publishes it with the address; returns when the joiner is paired. */
  showCode(name?: string): Promise<string>
  /** Types the code that `showCode` published. `byAddress` false: found by discovery alone. */
  typeCode(options?: { name?: string; byAddress?: boolean }): Promise<string>
  /** Waits until this device is connected (it may be already). */
  connected(device: string): Promise<void>
  /** The first event of this type since the device was made, whether it came already (while it started, say) or not. */
  first<K extends EventName>(type: K, timeoutMs?: number): Promise<EventOf<K>>
  /** The next one from now on: ask for it before what causes it. */
  next<K extends EventName>(type: K, matches?: (event: EventOf<K>) => boolean, timeoutMs?: number): Promise<EventOf<K>>
  stop(): Promise<void>
}

export interface DeviceOptions {
  /** Everything on 127.0.0.1 with discovery off; the default. */
  loopback?: boolean
  network?: Record<string, unknown>
}

export async function openDevice(context: RoleContext, options: DeviceOptions = {}): Promise<Device> {
  const { role, board, dataDir } = context
  const node = await createNode({
    dataDir: join(dataDir, 'data'),
    network: { enabled: true, loopback: options.loopback ?? true, ...options.network },
    spacedrop: { downloads: join(dataDir, 'downloads') }
  })
  const seen = new Map<EventName, AnyEvent>()
  node.events.onAny(event => {
    if (!seen.has(event.type)) seen.set(event.type, event)
  })
  await node.start()

  const next: Device['next'] = (type, matches = () => true, timeoutMs = WAIT_MS) =>
    new Promise((resolve, reject) => {
      const off = node.events.on(type, event => {
        if (!matches(event)) return
        clearTimeout(timer)
        off()
        resolve(event)
      })
      const timer = setTimeout(() => {
        off()
        reject(new Error(`${role} saw no ${type} within ${timeoutMs} ms`))
      }, timeoutMs)
    })

  const device: Device = {
    node,
    board,
    role,
    next,
    async first(type, timeoutMs) {
      return (seen.get(type) as EventOf<typeof type> | undefined) ?? next(type, () => true, timeoutMs)
    },
    async address() {
      const { listening } = await node.call('network.status', {})
      return listening[0]!
    },
    async showCode(name = 'code') {
      const paired = next('pairing:completed')
      const shown = await node.call('network.pair.generate', { autoAccept: true, wait: false })
      if (!('words' in shown)) throw new Error('no code was shown')
      board.publish(name, { words: shown.words, address: await device.address() })
      return (await paired).device
    },
    async typeCode({ name = 'code', byAddress = true } = {}) {
      const { words, address } = await board.expect<{ words: string; address: string }>(name)
      const joined = await node.call('network.pair.join', { words, addresses: byAddress ? [address] : [] })
      return joined.device
    },
    async connected(id) {
      const seen = next('device:connected', e => e.device === id)
      seen.catch(() => {}) // unused when it is connected already
      const { devices } = await node.call('network.devices', {})
      if (!devices.some(d => d.id === id && d.connected)) await seen
    },
    stop: () => node.stop()
  }
  return device
}
