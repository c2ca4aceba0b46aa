/** The side that typed the code, for one stream: pure steps like initiator.ts. */
import { errorCode } from '../../storage/base/index.js'
import type { CodeKeys } from './derive.js'
import { type DeviceInfo, decodeInfo, encodeInfo } from './device-info.js'
import { exchangePublicKey, seal, sharedSecret, unseal } from './exchange.js'
import type { FailureReason, HandshakeInit, Paired } from './initiator.js'
import { equal } from './kdf.js'
import { MAX_EPOCH } from './limits.js'
import { encodeMessage, parseMessage, SUITE, VERSION } from './messages.js'
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

export type JoinerState =
  | { readonly at: 'await-challenge'; readonly init: HandshakeInit; readonly keys: CodeKeys; readonly raw: Uint8Array }
  | {
      readonly at: 'proven'
      readonly init: HandshakeInit
      readonly keys: CodeKeys
      readonly shared: Uint8Array
      readonly th2: Uint8Array
      readonly secrets: HandshakeKeys
      readonly remote: DeviceInfo
    }
  | { readonly at: 'await-complete' | 'saving'; readonly final: Final }
  | { readonly at: 'done' }
  | { readonly at: 'failed' }

interface Final {
  readonly paired: Paired
  readonly sessionId: Uint8Array
  readonly th3: Uint8Array
  readonly secrets: HandshakeKeys
}

export type JoinerInput =
  | { readonly kind: 'frame'; readonly raw: Uint8Array }
  /** Of all who were asked this is the first that proved itself: tell it who we are. */
  | { readonly kind: 'chosen' }
  | { readonly kind: 'saved' }

export type JoinerEffect =
  | { readonly do: 'send'; readonly raw: Uint8Array }
  /** The other side knows the words and owns its key. Nothing of ours was told yet but our PeerId. */
  | { readonly do: 'proven'; readonly info: DeviceInfo }
  /** Show these words now; the other person compares them. */
  | { readonly do: 'show'; readonly words: string; readonly info: DeviceInfo }
  | { readonly do: 'save'; readonly paired: Paired }
  | { readonly do: 'done' }
  /** `refused`: the other side said so. Nothing is sent to it: it either failed itself or is not who it should be. */
  | { readonly do: 'fail'; readonly reason: FailureReason | 'refused' }

export interface JoinerStep {
  readonly state: JoinerState
  readonly effects: readonly JoinerEffect[]
}

/** The first step: the PairingRequest. Fails at once against our own key. */
export function joiner(init: HandshakeInit, keys: CodeKeys): JoinerStep {
  if (equal(init.local.publicKey, init.remotePublicKey)) return failed('self')
  const fields = {
    type: 'request',
    v: VERSION,
    suite: SUITE,
    sid: keys.sessionId,
    key: exchangePublicKey(init.ephemeral),
    commit: commitment(init.nonce)
  } as const
  const raw = encodeMessage({ ...fields, mac: requestMac(keys.requestKey, endsOf(init), fields) })
  return { state: { at: 'await-challenge', init, keys, raw }, effects: [{ do: 'send', raw }] }
}

export function stepJoiner(state: JoinerState, input: JoinerInput): JoinerStep {
  if (input.kind === 'frame') {
    try {
      if (state.at === 'await-challenge') return onChallenge(state, input.raw)
      if (state.at === 'await-complete') return onComplete(state.final, input.raw)
    } catch (err) {
      if (errorCode(err) !== 'MALFORMED') throw err
      return failed('malformed')
    }
    return failed('unexpected')
  }
  if (input.kind === 'chosen' && state.at === 'proven') return respond(state)
  if (input.kind === 'saved' && state.at === 'saving') {
    const { secrets, sessionId, th3 } = state.final
    const raw = encodeMessage(completeMessage('J', secrets.confirmJoiner, sessionId, th3))
    return { state: { at: 'done' }, effects: [{ do: 'send', raw }, { do: 'done' }] }
  }
  return failed('unexpected')
}

function failed(reason: FailureReason | 'refused'): JoinerStep {
  return { state: { at: 'failed' }, effects: [{ do: 'fail', reason }] }
}

const endsOf = (init: HandshakeInit): Ends => ({
  initiator: peerIdBytes(init.remotePublicKey),
  joiner: peerIdBytes(init.local.publicKey)
})

function onChallenge(state: JoinerState & { at: 'await-challenge' }, raw: Uint8Array): JoinerStep {
  const { init, keys } = state
  const m = parseMessage(raw)
  if (m.type === 'complete' && !m.ok) return failed('refused')
  if (m.type !== 'challenge') return failed('unexpected')
  if (!equal(m.sid, keys.sessionId)) return failed('unproven')
  if (equal(m.key, exchangePublicKey(init.ephemeral))) return failed('unproven') // our own share, sent back
  const shared = sharedSecret(init.ephemeral, m.key)
  if (shared === undefined) return failed('low-order')
  const th1 = firstTranscript(endsOf(init), state.raw, m)
  const secrets = handshakeKeys(th1, shared, keys.preShared)
  const proven =
    equal(m.mac, challengeMac(secrets.confirmInitiator, th1, m.signature, m.info)) &&
    verify(init.remotePublicKey, signedByInitiator(th1), m.signature)
  if (!proven) return failed('unproven')
  const plain = unseal(secrets.infoInitiator, INFO_NONCE, m.info, th1)
  if (plain === undefined) return failed('unproven')
  const remote = decodeInfo(plain)
  if (Math.max(remote.epoch, init.info.epoch) + 1 > MAX_EPOCH) return failed('malformed')
  const th2 = nextTranscript('/th2', th1, raw)
  return {
    state: { at: 'proven', init, keys, shared, th2, secrets, remote },
    effects: [{ do: 'proven', info: remote }]
  }
}

function respond(state: JoinerState & { at: 'proven' }): JoinerStep {
  const { init, keys, shared, th2, secrets, remote } = state
  const sid = keys.sessionId
  const signature = sign(init.local.seed, signedByJoiner(th2))
  const info = seal(secrets.infoJoiner, INFO_NONCE, encodeInfo(init.info), th2)
  const opened = { nonce: init.nonce, signature, info }
  const mac = responseMac(secrets.confirmJoiner, th2, opened)
  const raw = encodeMessage({ type: 'response', sid, ...opened, mac })
  const th3 = nextTranscript('/th3', th2, raw)
  const epoch = Math.max(remote.epoch, init.info.epoch) + 1
  const paired: Paired = { pairRoot: pairRoot(th3, shared, keys.preShared), epoch, info: remote }
  const words = wordsToCompare(th2, init.nonce, shared, keys.preShared)
  return {
    state: { at: 'await-complete', final: { paired, sessionId: sid, th3, secrets } },
    effects: [
      { do: 'send', raw },
      { do: 'show', words, info: remote }
    ]
  }
}

function onComplete(final: Final, raw: Uint8Array): JoinerStep {
  const m = parseMessage(raw)
  if (m.type !== 'complete') return failed('unexpected')
  if (!m.ok) return failed('refused')
  const expected = completeMessage('I', final.secrets.confirmInitiator, final.sessionId, final.th3)
  if (!equal(m.sid, expected.sid) || !equal(m.mac, expected.mac)) return failed('unproven')
  return { state: { at: 'saving', final }, effects: [{ do: 'save', paired: final.paired }] }
}
