/**
 * mDNS: who is on the local network, and who shows a pairing code. Our own small service on multicast-dns, since the one of
 * libp2p cannot change its name, binds one set of interfaces for good, and hands on any address it is told. What is heard
 * is a hint and nothing more: Noise says who answers there.
 */
import { networkInterfaces } from 'node:os'

import type { MulticastDNS, QueryPacket, ResponsePacket } from 'multicast-dns'
import type { Candidate } from '../../protocols/pairing/index.js'
import { TokenBucket } from '../../protocols/wire/index.js'
import type { AbortOptions, Clock, DeviceId, Logger, Random } from '../../storage/base/index.js'
import { fitsLan } from './addresses.js'
import { answerFor, codeService, DEVICE_SERVICE, readAnswer } from './lan-packets.js'
import { queueOf } from './queue.js'

export interface LanInit {
  readonly device: DeviceId
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Names of interfaces to use; empty: all but loopback. */
  readonly interfaces: readonly string[]
  /** Where we can be reached, most useful first. */
  addresses(): readonly string[]
  onFound(device: DeviceId, addresses: readonly string[]): void
}

export interface Lan {
  start(): Promise<void>
  stop(): Promise<void>
  /** The interfaces or our addresses changed: sockets are made anew, and everybody is asked and told. */
  refresh(): Promise<void>
  announceTag(lanTag: string): Promise<{ close(): Promise<void> }>
  browseTag(lanTag: string, options: AbortOptions): AsyncIterable<Candidate>
}

/** After a start or a change: at once, then soon, then ever later, since a single multicast packet is easily lost. */
const QUERY_DELAYS_MS = [0, 250, 1_000, 3_000, 10_000]
/** From then on. Devices that appear announce themselves; this finds those whose packets were lost. */
const QUERY_INTERVAL_MS = 30_000
/** While somebody searches for a code. */
const BROWSE_INTERVAL_MS = 1_000
/** Answers an interface gives to all who ask. */
const ANSWERS_PER_SECOND = 5
const ANSWER_BURST = 20
/** Candidates of one search that may wait to be tried. */
const MAX_WAITING = 64

interface Socket {
  readonly mdns: MulticastDNS
  readonly bucket: TokenBucket
}

export function lan(init: LanInit): Lan {
  const { device, clock, random, log } = init
  const instance = Buffer.from(random.bytes(8)).toString('hex')
  const announced = new Map<string, number>()
  const searches = new Map<string, Set<(candidate: Candidate) => void>>()
  let sockets: Socket[] = []
  let timer: { clear(): void } | undefined
  let running = false
  let asked = 0
  let turn: Promise<void> = Promise.resolve()

  const local = (): readonly string[] => init.addresses().filter(fitsLan)
  const services = (): string[] => [DEVICE_SERVICE, ...announced.keys()]

  async function open(): Promise<void> {
    const { default: multicastDns } = await import('multicast-dns')
    for (const ip of localIps(init.interfaces)) {
      // Bound to the wildcard: a socket bound to one address hears no multicast on Linux.
      const mdns = multicastDns({ interface: ip, bind: '0.0.0.0', reuseAddr: true, loopback: true })
      const socket: Socket = {
        mdns,
        bucket: new TokenBucket(ANSWERS_PER_SECOND, ANSWER_BURST, () => clock.monotonicMs())
      }
      mdns.on('error', (err: Error) => log.warn('mDNS cannot be used on an interface', { ip, err }))
      mdns.on('warning', (err: Error) => log.debug('an mDNS packet or interface was refused', { ip, err: err.message }))
      mdns.on('query', packet => onQuery(socket, packet))
      mdns.on('response', onResponse)
      sockets.push(socket)
    }
  }

  async function close(): Promise<void> {
    const closing = sockets
    sockets = []
    await Promise.all(
      closing.map(
        ({ mdns }) =>
          new Promise<void>(resolve => {
            // An error after the end (a socket whose interface went away) is nobody's concern.
            mdns.removeAllListeners('query').removeAllListeners('response')
            mdns.destroy(() => resolve())
          })
      )
    )
  }

  function onQuery(socket: Socket, packet: QueryPacket): void {
    const names = new Set((packet.questions ?? []).slice(0, 16).map(q => q.name.toLowerCase()))
    const wanted = services().filter(service => names.has(service))
    if (wanted.length > 0 && socket.bucket.take()) tell(socket, wanted)
  }

  function tell(socket: Socket, wanted: readonly string[]): void {
    const addresses = local()
    if (addresses.length === 0) return
    for (const service of wanted) socket.mdns.respond({ answers: answerFor(service, instance, device, addresses) })
  }

  function onResponse(packet: ResponsePacket): void {
    for (const found of readAnswer(packet, DEVICE_SERVICE)) {
      if (found.device !== device) init.onFound(found.device, found.addresses)
    }
    for (const [service, listeners] of searches) {
      for (const found of readAnswer(packet, service)) {
        if (found.device !== device) for (const listener of listeners) listener(found)
      }
    }
  }

  function ask(wanted: readonly string[]): void {
    const questions = wanted.map(name => ({ name, type: 'PTR' as const }))
    for (const { mdns } of sockets) mdns.query({ questions })
  }

  function tick(): void {
    if (!running) return
    ask([DEVICE_SERVICE])
    if (asked < QUERY_DELAYS_MS.length) for (const socket of sockets) tell(socket, services())
    asked++
    timer = clock.timer(tick, QUERY_DELAYS_MS[asked] ?? QUERY_INTERVAL_MS)
  }

  const inTurn = (work: () => Promise<void>): Promise<void> => {
    turn = turn.then(work, work)
    return turn
  }

  async function restart(): Promise<void> {
    timer?.clear()
    await close()
    if (!running) return
    await open()
    asked = 0
    tick()
  }

  return {
    start() {
      running = true
      return inTurn(restart)
    },
    stop() {
      running = false
      return inTurn(restart)
    },
    refresh: () => inTurn(restart),
    async announceTag(lanTag) {
      const service = codeService(lanTag)
      announced.set(service, (announced.get(service) ?? 0) + 1)
      for (const socket of sockets) tell(socket, [service])
      let closed = false
      return {
        async close() {
          if (closed) return
          closed = true
          const left = announced.get(service)! - 1
          if (left === 0) announced.delete(service)
          else announced.set(service, left)
        }
      }
    },
    async *browseTag(lanTag, { signal }) {
      const service = codeService(lanTag)
      const queue = queueOf<Candidate>(MAX_WAITING)
      const listeners = searches.get(service) ?? new Set()
      searches.set(service, listeners)
      listeners.add(queue.push)
      let again: { clear(): void } | undefined
      const repeat = (): void => {
        ask([service])
        again = clock.timer(repeat, BROWSE_INTERVAL_MS)
      }
      repeat()
      try {
        yield* queue.take(signal)
      } finally {
        again?.clear()
        listeners.delete(queue.push)
        if (listeners.size === 0) searches.delete(service)
      }
    }
  }
}

/** One IPv4 address of each interface that is up and not loopback: multicast is joined by address. */
function localIps(names: readonly string[]): string[] {
  return Object.entries(networkInterfaces())
    .filter(([name]) => names.length === 0 || names.includes(name))
    .flatMap(([, list]) => (list ?? []).filter(a => a.family === 'IPv4' && !a.internal).slice(0, 1))
    .map(a => a.address)
}
