/**
 * The hello as pure steps: frames in, frames and an outcome out; no stream, no clock, no randomness of its own. A step
 * that is given what it does not expect ends in `failed`, and stays there.
 *
 *   dialler                                   listener
 *   hello   { nonce, epochs }            ->
 *                                        <-   answer  { epoch, nonce, proof }         it knows the root
 *   prove   { info, proof }              ->                                           the dialler knows it too
 *                                        <-   welcome { info, proof }                 and the listener has admitted it
 */
import { SpacedriveError } from '../../storage/base/index.js'
import { decode, encode } from '../wire/index.js'
import { type Ends, type HelloKeys, helloKeys, proveDialler, proveListener, proveWelcome, sameProof } from './keys.js'
import {
  HELLO_VERSION,
  type HelloInfo,
  infoSchema,
  type Refusal,
  toDiallerSchema,
  toListenerSchema
} from './messages.js'

/** The root of a pair and its number, as node/devices keeps them. */
export interface HelloSecret {
  readonly epoch: number
  readonly root: Uint8Array
}

export interface HelloDone {
  readonly epoch: number
  readonly info: HelloInfo
  readonly sendKey: Uint8Array
  readonly receiveKey: Uint8Array
}

export type HelloEffect =
  | { readonly send: Uint8Array }
  /** The dialler has proven itself: admit it (durably), then call `welcome`, or `refuse`. */
  | { readonly admit: { readonly epoch: number; readonly info: HelloInfo } }
  | { readonly done: HelloDone }
  | { readonly failed: SpacedriveError }

interface Common {
  readonly ends: Ends
  readonly secrets: readonly HelloSecret[]
}
export type DiallerState = Common & { readonly info: HelloInfo } & (
    | { readonly at: 'opened'; readonly openFrame: Uint8Array }
    | { readonly at: 'proved'; readonly keys: HelloKeys; readonly epoch: number; readonly proof: Uint8Array }
    | { readonly at: 'over' }
  )
export type ListenerState = Common &
  (
    | { readonly at: 'waiting'; readonly nonce: Uint8Array }
    | { readonly at: 'answered'; readonly keys: HelloKeys; readonly epoch: number; readonly proof: Uint8Array }
    | {
        readonly at: 'admitting'
        readonly keys: HelloKeys
        readonly epoch: number
        readonly theirProof: Uint8Array
        readonly info: HelloInfo
      }
    | { readonly at: 'over' }
  )
export interface Step<S> {
  readonly state: S
  readonly effects: readonly HelloEffect[]
}

/** @param nonce - 32 fresh random bytes */
export function openHello(
  ends: Ends,
  secrets: readonly HelloSecret[],
  nonce: Uint8Array,
  info: HelloInfo
): Step<DiallerState> {
  const openFrame = encode({ t: 'hello', v: HELLO_VERSION, nonce, epochs: secrets.map(s => s.epoch) })
  return { state: { ends, secrets, info, at: 'opened', openFrame }, effects: [{ send: openFrame }] }
}

/** @param nonce - 32 fresh random bytes */
export function awaitHello(ends: Ends, secrets: readonly HelloSecret[], nonce: Uint8Array): ListenerState {
  return { ends, secrets, at: 'waiting', nonce }
}

export function stepDialler(state: DiallerState, frame: Uint8Array): Step<DiallerState> {
  const fail = (err: SpacedriveError, tell?: Refusal): Step<DiallerState> => over({ ...state, at: 'over' }, err, tell)
  let message: ReturnType<typeof parseToDialler>
  try {
    message = parseToDialler(frame)
  } catch (err) {
    return fail(err as SpacedriveError)
  }
  if (state.at === 'over') return { state, effects: [] }
  if (message.t === 'refuse') return fail(refusedBy(message.code))
  if (state.at === 'opened' && message.t === 'answer') {
    const secret = state.secrets.find(s => s.epoch === message.epoch)
    if (secret === undefined) return fail(unexpected('an answer with an epoch that was not offered'))
    const keys = helloKeys(secret.root, state.ends, state.openFrame, message.epoch, message.nonce)
    if (!sameProof(proveListener(keys), message.proof)) return fail(keysDiffer(), 'keys-differ')
    const info = encode(state.info)
    const proof = proveDialler(keys, message.proof, info)
    return {
      state: { ...state, at: 'proved', keys, epoch: message.epoch, proof },
      effects: [{ send: encode({ t: 'prove', info, proof }) }]
    }
  }
  if (state.at === 'proved' && message.t === 'welcome') {
    const { keys, epoch, proof } = state
    if (!sameProof(proveWelcome(keys, proof, message.info), message.proof)) return fail(keysDiffer(), 'keys-differ')
    try {
      const info = decode(message.info, infoSchema, 'what the other device tells of itself')
      const done = { epoch, info, sendKey: keys.toListener, receiveKey: keys.toDialler }
      return { state: { ...state, at: 'over' }, effects: [{ done }] }
    } catch (err) {
      return fail(err as SpacedriveError)
    }
  }
  return fail(unexpected(message.t))
}

export function stepListener(state: ListenerState, frame: Uint8Array): Step<ListenerState> {
  const fail = (err: SpacedriveError, tell?: Refusal): Step<ListenerState> => over({ ...state, at: 'over' }, err, tell)
  let message: ReturnType<typeof parseToListener>
  try {
    message = parseToListener(frame)
  } catch (err) {
    return fail(err as SpacedriveError)
  }
  if (state.at === 'over') return { state, effects: [] }
  if (message.t === 'refuse') return fail(refusedBy(message.code))
  if (state.at === 'waiting' && message.t === 'hello') {
    if (message.v !== HELLO_VERSION) {
      const text = `expected version ${HELLO_VERSION} of the hello, got ${message.v}`
      return fail(new SpacedriveError('VERSION_DIFFERS', text), 'version')
    }
    // The newest both hold. Which ones it names says nothing yet: only the proof counts.
    const common = state.secrets.filter(s => message.epochs.includes(s.epoch)).sort((a, b) => b.epoch - a.epoch)[0]
    if (common === undefined) return fail(keysDiffer(), 'keys-differ')
    const keys = helloKeys(common.root, state.ends, frame, common.epoch, state.nonce)
    const proof = proveListener(keys)
    return {
      state: { ...state, at: 'answered', keys, epoch: common.epoch, proof },
      effects: [{ send: encode({ t: 'answer', epoch: common.epoch, nonce: state.nonce, proof }) }]
    }
  }
  if (state.at === 'answered' && message.t === 'prove') {
    const { keys, epoch, proof } = state
    if (!sameProof(proveDialler(keys, proof, message.info), message.proof)) return fail(keysDiffer(), 'keys-differ')
    try {
      const info = decode(message.info, infoSchema, 'what the other device tells of itself')
      const next: ListenerState = { ...state, at: 'admitting', keys, epoch, theirProof: message.proof, info }
      return { state: next, effects: [{ admit: { epoch, info } }] }
    } catch (err) {
      return fail(err as SpacedriveError)
    }
  }
  return fail(unexpected(message.t))
}

/** The listener's end once it has admitted the dialler. */
export function welcome(state: ListenerState, mine: HelloInfo): Step<ListenerState> {
  if (state.at !== 'admitting') return { state, effects: [] }
  const { keys, epoch, theirProof, info } = state
  const told = encode(mine)
  const frame = encode({ t: 'welcome', info: told, proof: proveWelcome(keys, theirProof, told) })
  const done = { epoch, info, sendKey: keys.toDialler, receiveKey: keys.toListener }
  return { state: { ...state, at: 'over' }, effects: [{ send: frame }, { done }] }
}

export function refuse(state: ListenerState, code: Refusal, err: SpacedriveError): Step<ListenerState> {
  return over({ ...state, at: 'over' }, err, code)
}

function over<S>(state: S, failed: SpacedriveError, tell?: Refusal): Step<S> {
  const effects: HelloEffect[] = tell === undefined ? [] : [{ send: encode({ t: 'refuse', code: tell }) }]
  return { state, effects: [...effects, { failed }] }
}

const parseToDialler = (frame: Uint8Array) => decode(frame, toDiallerSchema, 'a hello message')
const parseToListener = (frame: Uint8Array) => decode(frame, toListenerSchema, 'a hello message')

function keysDiffer(): SpacedriveError {
  return new SpacedriveError('KEYS_DIFFER', 'the secret of this pair differs on the two devices', {
    hint: 'Pair the two devices again.'
  })
}

function refusedBy(code: Refusal): SpacedriveError {
  const codes = {
    'keys-differ': 'KEYS_DIFFER',
    'runs-twice': 'RUNS_TWICE',
    version: 'VERSION_DIFFERS',
    refused: 'REFUSED'
  }
  return new SpacedriveError(codes[code], `the other device ended the hello: ${code}`)
}

function unexpected(what: string): SpacedriveError {
  return new SpacedriveError('UNEXPECTED_MESSAGE', `the other device sent ${what} out of turn`)
}
