/**
 * The side that shows the code, for one stream: pure steps. Clock, randomness, mutex, disk and the person are outside; what
 * they say comes in as input, what they shall do goes out as effects, in order.
 */
import { errorCode } from '../../storage/base/index.js'
import type { CodeKeys } from './derive.js'
import { type DeviceInfo, decodeInfo, encodeInfo } from './device-info.js'
import { exchangePublicKey, seal, sharedSecret, unseal } from './exchange.js'
import { equal } from './kdf.js'
import { MAX_EPOCH } from './limits.js'
import { encodeMessage, type PairingRequest, parseMessage } from './messages.js'
import { sign, verify } from './signature.js'
import {
  challengeMac,
  commitment,
  completeMessage,
  type Ends,
  firstTranscript,
  type HandshakeKeys,
  handshakeKeys,
  INFO_NONCE,
  nextTranscript,
  pairRoot,
  peerIdBytes,
  requestMac,
  responseMac,
  signedByInitiator,
  signedByJoiner,
  wordsToCompare
} from './transcript.js'

/** What a handshake is between, and its share of randomness: an X25519 private key and a nonce, 32 bytes each, never used twice. */
export interface HandshakeInit {
  readonly local: { readonly publicKey: Uint8Array; readonly seed: Uint8Array }
  /** From the connection, never from a message. */
  readonly remotePublicKey: Uint8Array
  readonly info: DeviceInfo
  readonly ephemeral: Uint8Array
  readonly nonce: Uint8Array
}

/** What came of it. */
export interface Paired {
  readonly pairRoot: Uint8Array
  readonly epoch: number
  readonly info: DeviceInfo
}

export type FailureReason = 'malformed' | 'unexpected' | 'self' | 'unproven' | 'low-order' | 'declined' | 'closed-code'

export type InitiatorState =
  | { readonly at: 'await-request'; readonly init: HandshakeInit }
  | {
      readonly at: 'await-turn'
      readonly init: HandshakeInit
      readonly keys: CodeKeys
      readonly raw: Uint8Array
      readonly request: PairingRequest
    }
  | {
      readonly at: 'await-response'
      readonly init: HandshakeInit
      readonly keys: CodeKeys
      readonly commit: Uint8Array
      readonly shared: Uint8Array
      readonly th2: Uint8Array
      readonly secrets: HandshakeKeys
    }
  | { readonly at: 'await-answer' | 'saving' | 'await-complete'; readonly final: Final }
  | { readonly at: 'done' }
  | { readonly at: 'failed' }

interface Final {
  readonly paired: Paired
  readonly sessionId: Uint8Array
  readonly th3: Uint8Array
  readonly secrets: HandshakeKeys
}

export type InitiatorInput =
  /** A frame, and the codes that are known: open ones and those that are burned. */
  | { readonly kind: 'frame'; readonly raw: Uint8Array; readonly codes: readonly CodeKeys[] }
  /** It is this handshake's turn; `open` says whether its code still is. */
  | { readonly kind: 'turn'; readonly open: boolean }
  | { readonly kind: 'answer'; readonly accept: boolean }
  | { readonly kind: 'saved' }

export type InitiatorEffect =
  | { readonly do: 'send'; readonly raw: Uint8Array }
  /** The request is right: wait for the turn, then answer with `turn`. */
  | { readonly do: 'wait-turn'; readonly sessionId: Uint8Array }
  /** Durable before anything else happens. `proven`: a Response verified; otherwise someone has the words and failed. */
  | { readonly do: 'burn'; readonly sessionId: Uint8Array; readonly proven: boolean }
  | { readonly do: 'ask'; readonly words: string; readonly info: DeviceInfo }
  | { readonly do: 'save'; readonly paired: Paired }
  | { readonly do: 'done' }
  /** Tell the other side that it failed, after the uniform delay, and end. `counts`: as a wrong guess of its source. */
  | { readonly do: 'fail'; readonly reason: FailureReason; readonly counts: boolean }

export interface InitiatorStep {
  readonly state: InitiatorState
  readonly effects: readonly InitiatorEffect[]
}

export function initiator(init: HandshakeInit): InitiatorState {
  return { at: 'await-request', init }
}

export function stepInitiator(state: InitiatorState, input: InitiatorInput): InitiatorStep {
  if (input.kind === 'frame') {
    try {
      if (state.at === 'await-request') return onRequest(state, input.raw, input.codes)
      if (state.at === 'await-response') return onResponse(state, input.raw)
      if (state.at === 'await-complete') return onComplete(state.final, input.raw)
    } catch (err) {
      if (errorCode(err) !== 'MALFORMED') throw err
      return failed(state, 'malformed')
    }
    return failed(state, 'unexpected') // nothing may come while a turn or a person is waited for
  }
  if (input.kind === 'turn' && state.at === 'await-turn')
    return input.open ? challenge(state) : failed(state, 'closed-code')
  if (input.kind === 'answer' && state.at === 'await-answer') {
    if (!input.accept) return failed(state, 'declined')
    return { state: { ...state, at: 'saving' }, effects: [{ do: 'save', paired: state.final.paired }] }
  }
  if (input.kind === 'saved' && state.at === 'saving') {
    const { secrets, sessionId, th3 } = state.final
    const raw = encodeMessage(completeMessage('I', secrets.confirmInitiator, sessionId, th3))
    return { state: { ...state, at: 'await-complete' }, effects: [{ do: 'send', raw }] }
  }
  return failed(state, 'unexpected')
}

/** A Response that fails burns the code: whoever got this far knew the words. */
function failed(state: InitiatorState, reason: FailureReason): InitiatorStep {
  const effects: InitiatorEffect[] = []
  if (state.at === 'await-response') effects.push({ do: 'burn', sessionId: state.keys.sessionId, proven: false })
  effects.push({ do: 'fail', reason, counts: state.at === 'await-request' || state.at === 'await-response' })
  return { state: { at: 'failed' }, effects }
}

const endsOf = (init: HandshakeInit): Ends => ({
  initiator: peerIdBytes(init.local.publicKey),
  joiner: peerIdBytes(init.remotePublicKey)
})

function onRequest(
  state: InitiatorState & { at: 'await-request' },
  raw: Uint8Array,
  codes: readonly CodeKeys[]
): InitiatorStep {
  const { init } = state
  if (equal(init.local.publicKey, init.remotePublicKey)) return failed(state, 'self')
  const request = parseMessage(raw)
  if (request.type !== 'request') return failed(state, 'unexpected')
  // Every code is compared, known or not: the time taken says nothing about which sessions there are.
  let found: CodeKeys | undefined
  for (const keys of codes) {
    const right = equal(requestMac(keys.requestKey, endsOf(init), request), request.mac)
    if (equal(keys.sessionId, request.sid) && right) found = keys
  }
  if (found === undefined) return failed(state, 'unproven')
  return {
    state: { at: 'await-turn', init, keys: found, raw, request },
    effects: [{ do: 'wait-turn', sessionId: found.sessionId }]
  }
}

function challenge(state: InitiatorState & { at: 'await-turn' }): InitiatorStep {
  const { init, keys, request } = state
  const shared = sharedSecret(init.ephemeral, request.key)
  if (shared === undefined) return failed(state, 'low-order')
  const opening = { sid: keys.sessionId, key: exchangePublicKey(init.ephemeral), nonce: init.nonce }
  const th1 = firstTranscript(endsOf(init), state.raw, opening)
  const secrets = handshakeKeys(th1, shared, keys.preShared)
  const signature = sign(init.local.seed, signedByInitiator(th1))
  const info = seal(secrets.infoInitiator, INFO_NONCE, encodeInfo(init.info), th1)
  const mac = challengeMac(secrets.confirmInitiator, th1, signature, info)
  const raw = encodeMessage({ type: 'challenge', ...opening, signature, info, mac })
  const th2 = nextTranscript('/th2', th1, raw)
  return {
    state: { at: 'await-response', init, keys, commit: request.commit, shared, th2, secrets },
    effects: [{ do: 'send', raw }]
  }
}

function onResponse(state: InitiatorState & { at: 'await-response' }, raw: Uint8Array): InitiatorStep {
  const { init, keys, shared, th2, secrets } = state
  const response = parseMessage(raw)
  if (response.type !== 'response') return failed(state, 'unexpected')
  const proven =
    equal(response.sid, keys.sessionId) &&
    equal(response.mac, responseMac(secrets.confirmJoiner, th2, response)) &&
    equal(commitment(response.nonce), state.commit) &&
    verify(init.remotePublicKey, signedByJoiner(th2), response.signature)
  if (!proven) return failed(state, 'unproven')
  const plain = unseal(secrets.infoJoiner, INFO_NONCE, response.info, th2)
  if (plain === undefined) return failed(state, 'unproven')
  const info = decodeInfo(plain)
  const epoch = Math.max(info.epoch, init.info.epoch) + 1
  if (epoch > MAX_EPOCH) return failed(state, 'malformed')
  const th3 = nextTranscript('/th3', th2, raw)
  const paired: Paired = { pairRoot: pairRoot(th3, shared, keys.preShared), epoch, info }
  const words = wordsToCompare(th2, response.nonce, shared, keys.preShared)
  return {
    state: { at: 'await-answer', final: { paired, sessionId: keys.sessionId, th3, secrets } },
    effects: [
      { do: 'burn', sessionId: keys.sessionId, proven: true },
      { do: 'ask', words, info }
    ]
  }
}

function onComplete(final: Final, raw: Uint8Array): InitiatorStep {
  const message = parseMessage(raw)
  const expected = completeMessage('J', final.secrets.confirmJoiner, final.sessionId, final.th3)
  const right =
    message.type === 'complete' && message.ok && equal(message.sid, expected.sid) && equal(message.mac, expected.mac)
  // Stored already: only the hello can tell now whether the other side has it too.
  if (!right) return { state: { at: 'failed' }, effects: [{ do: 'fail', reason: 'unproven', counts: false }] }
  return { state: { at: 'done' }, effects: [{ do: 'done' }] }
}
