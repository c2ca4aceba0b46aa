import type { PeerNetwork, PeerSession } from '../../../protocols/wire/index.js'

/** A network whose outgoing streams are watched: `onSend` sees how many bytes are about to go, and may cut the connection. */
export function tapped(network: PeerNetwork, onSend: (bytes: number, peer: PeerSession) => void): PeerNetwork {
  return {
    get localDevice() {
      return network.localDevice
    },
    handle: (protocol, handler, options) => network.handle(protocol, handler, options),
    unhandle: protocol => network.unhandle(protocol),
    async open(device, protocol, options) {
      const { stream, peer } = await network.open(device, protocol, options)
      const send = stream.send.bind(stream)
      stream.send = data => {
        onSend(data.byteLength, peer)
        return send(data)
      }
      return { stream, peer }
    },
    session: device => network.session(device),
    whenConnected: (device, options) => network.whenConnected(device, options),
    connected: () => network.connected(),
    onConnected: listener => network.onConnected(listener),
    onDisconnected: listener => network.onDisconnected(listener)
  }
}
