import type { ConnectionEncrypter, SecuredConnection } from '@libp2p/interface'
import { gatherWrites } from './gathered.js'
import { ciphersPackets } from './noise-cipher.js'
import { type NoiseConnection, packetsInPlace } from './noise-packets.js'
import { type PacketMemory, packetMemory } from './packet-memory.js'

/**
 * Every connection that Noise is given writes in one go, if it stands on a socket, and its packets are sealed and opened in place.
 * An encrypter of another make only gets the first.
 * @param memory - of the packets: told by the sockets what they wrote
 */
export function encrypterInPlace<T extends ConnectionEncrypter>(
  encrypter: T,
  memory: PacketMemory = packetMemory()
): T {
  const { secureInbound, secureOutbound } = encrypter
  const inPlace = ciphersPackets(encrypter)
  const around =
    (secure: ConnectionEncrypter['secureInbound']): ConnectionEncrypter['secureInbound'] =>
    async (connection, options): Promise<SecuredConnection> => {
      gatherWrites(connection, memory)
      const secured = await secure.call(encrypter, connection, options)
      if (inPlace) packetsInPlace(secured.connection as MessageStreamOfNoise, memory)
      return secured
    }
  encrypter.secureInbound = around(secureInbound)
  encrypter.secureOutbound = around(secureOutbound)
  return encrypter
}

type MessageStreamOfNoise = SecuredConnection['connection'] & NoiseConnection
