/** The network as pairing sees it (protocols/pairing/ports.ts). */
import type { Connection, Stream } from '@libp2p/interface'
import {
  type Candidate,
  type LocalIdentity,
  PAIRING_PROTOCOL,
  type PairingHandler,
  type PairingNetwork,
  type PairingPeer,
  type PairingStream
} from '../../protocols/pairing/index.js'
import { wireError } from '../../protocols/wire/index.js'
import { type AbortOptions, type Clock, type DeviceId, SpacedriveError, toError } from '../../storage/base/index.js'
import type { Identity } from '../identity/index.js'
import { bareAddress, dialOrder } from './addresses.js'
import { dialFirst } from './dialer.js'
import type { Finding } from './finding.js'
import type { Link } from './links.js'
import type { Running } from './running.js'
import { maySpeak, type Standing } from './trust.js'

export interface PairingPortInit {
  readonly clock: Clock
  running(): Running | undefined
  finding(): Finding | undefined
  identity(): Identity | undefined
  standing(device: DeviceId): Standing
}

export interface PairingPort extends PairingNetwork {
  /** Puts the present handler on a transport that has just come up. */
  attach(running: Running): Promise<void>
}

export function pairingPort(init: PairingPortInit): PairingPort {
  let handler: PairingHandler | undefined

  const on = (): Running => {
    const running = init.running()
    if (running === undefined) {
      throw new SpacedriveError('NETWORK_OFF', 'networking is off', { hint: 'Run `spacedrive network start`.' })
    }
    return running
  }

  function peerOf(link: Link, running: Running): PairingPeer {
    const { connection } = link
    return {
      device: link.device,
      publicKey: connection.remotePeer.publicKey!.raw,
      address: bareAddress(connection.remoteAddr.toString()) ?? connection.remoteAddr.toString(),
      signal: link.closed,
      progressed: stage => running.admission.progressed(connection, stage)
    }
  }

  async function serve(stream: Stream, connection: Connection): Promise<void> {
    const running = init.running()
    const link = running?.links.find(connection)
    const serving = handler
    const allowed =
      serving !== undefined &&
      link !== undefined &&
      link.pairing === 0 &&
      connection.remotePeer.type === 'Ed25519' &&
      maySpeak(PAIRING_PROTOCOL, init.standing(link.device))
    if (!allowed) {
      stream.abort(wireError('REFUSED', 'no pairing is open'))
      return
    }
    link.pairing++
    try {
      await serving(stream, peerOf(link, running!))
    } catch (err) {
      stream.abort(toError(err))
    } finally {
      link.pairing--
      running!.links.afterPairing(link)
    }
  }

  async function register(running: Running): Promise<void> {
    await running.transport.handle(PAIRING_PROTOCOL, serve, 1)
  }

  async function dial(candidate: Candidate, { signal }: AbortOptions): Promise<PairingStream> {
    const running = on()
    const { transport, admission, links } = running
    const addresses = dialOrder(candidate.addresses.map(address => ({ address, goodAt: 0 })))
    const ends = addresses.map(address => admission.allowDial(address))
    let self = false
    try {
      const { connection } = await dialFirst<Connection>(
        {
          clock: init.clock,
          async dial(address, device, options) {
            try {
              return await transport.dial(address, device, options)
            } catch (err) {
              if ((err as Error).name === 'InvalidPeerIdError') self = true
              throw err
            }
          },
          drop: c => c.abort(wireError('REFUSED', 'another address was faster'))
        },
        addresses,
        candidate.device,
        { signal }
      )
      const link = links.find(connection)
      if (link === undefined) throw wireError('STREAM_CLOSED', 'the other device closed the connection')
      link.pairing++
      let released = false
      const release = (): void => {
        if (released) return
        released = true
        link.pairing--
        links.afterPairing(link)
      }
      try {
        const stream = await connection.newStream([PAIRING_PROTOCOL], signal === undefined ? {} : { signal })
        return { stream, peer: peerOf(link, running), release }
      } catch (err) {
        release()
        signal?.throwIfAborted()
        throw new SpacedriveError('UNREACHABLE', `the device that answers does not pair now: ${toError(err).message}`, {
          cause: err
        })
      }
    } catch (err) {
      if (self) throw new SpacedriveError('SELF_DIAL', 'that is the address of this device itself', { cause: err })
      throw err
    } finally {
      for (const end of ends) end()
    }
  }

  return {
    get identity(): LocalIdentity | undefined {
      const identity = init.identity()
      if (identity === undefined || init.running() === undefined) return undefined
      return { device: identity.device, publicKey: identity.privateKey.publicKey.raw, seed: identity.seed }
    },
    async handle(next) {
      const first = handler === undefined
      handler = next
      const running = init.running()
      if (first && running !== undefined) await register(running)
    },
    async unhandle() {
      handler = undefined
      await init.running()?.transport.unhandle(PAIRING_PROTOCOL)
    },
    attach: async running => {
      if (handler !== undefined) await register(running)
    },
    addresses: () => init.running()?.addresses() ?? [],
    discovery: () => init.finding()?.ways() ?? [],
    async announce(lanTag) {
      on()
      return (await init.finding()?.announceTag(lanTag)) ?? { async close() {} }
    },
    async *browse(lanTag, options) {
      on()
      const finding = init.finding()
      if (finding !== undefined) yield* finding.browseTag(lanTag, options)
    },
    async put(key, value, options) {
      on()
      return (await init.finding()?.put(key, value, options)) ?? false
    },
    async *lookup(key, options) {
      on()
      const finding = init.finding()
      if (finding !== undefined) yield* finding.lookup(key, options)
    },
    dial
  }
}
