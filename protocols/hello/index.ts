/**
 * Hello `/spacedrive/hello/1.0.0` (PEERS 3, docs/protocols/hello.md): first on each connection. Both sides prove that they
 * know the secret of their pair, bound to this connection, their PeerIds and who dialled; from it come the connection's two
 * keys. The stream then stays open and carries ping, pong and the few messages that concern the connection itself.
 *
 *   const { info, sendKey, receiveKey, frames } = await sayHello({ stream, local, remote, secrets, random, info, admit })
 *
 * `machine.ts` holds the pure steps, this side of it only streams and the deadline.
 */
export { answerHello, type HelloInit, type HelloResult, sayHello } from './hello.js'
export { deriveKey } from './keys.js'
export {
  awaitHello,
  type DiallerState,
  type HelloDone,
  type HelloEffect,
  type HelloSecret,
  type ListenerState,
  openHello,
  refuse,
  type Step,
  stepDialler,
  stepListener,
  welcome
} from './machine.js'
export {
  addressesSchema,
  type Control,
  controlSchema,
  HELLO_PROTOCOL,
  HELLO_TIMEOUT_MS,
  type HelloInfo,
  infoSchema,
  MAX_EPOCHS,
  MAX_HELLO_FRAME_BYTES,
  MAX_TOLD_ADDRESSES,
  type Refusal
} from './messages.js'
