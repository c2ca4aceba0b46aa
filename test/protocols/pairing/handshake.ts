import assert from 'node:assert/strict'
import type { CodeKeys } from '../../../protocols/pairing/derive.js'
import { codeKeys } from '../../../protocols/pairing/derive.js'
import {
  type HandshakeInit,
  type InitiatorEffect,
  type InitiatorState,
  initiator,
  stepInitiator
} from '../../../protocols/pairing/initiator.js'
import { type JoinerEffect, type JoinerState, joiner, stepJoiner } from '../../../protocols/pairing/joiner.js'
import { publicKeyOf } from '../../../protocols/pairing/signature.js'

/** Fixed values: 32 bytes each of one number. Tests that need others override them. */
export const fixed = (n: number, length = 32): Uint8Array => new Uint8Array(length).fill(n)

export const SEED_I = fixed(1)
export const SEED_J = fixed(2)
export const ZERO_KEYS: CodeKeys = codeKeys(new Uint8Array(16))

export function initiatorInit(over: Partial<HandshakeInit> = {}): HandshakeInit {
  return {
    local: { publicKey: publicKeyOf(SEED_I), seed: SEED_I },
    remotePublicKey: publicKeyOf(SEED_J),
    info: { name: 'desk', os: 'linux', model: 'tower', epoch: 0 },
    ephemeral: fixed(3),
    nonce: fixed(5),
    ...over
  }
}

export function joinerInit(over: Partial<HandshakeInit> = {}): HandshakeInit {
  return {
    local: { publicKey: publicKeyOf(SEED_J), seed: SEED_J },
    remotePublicKey: publicKeyOf(SEED_I),
    info: { name: 'lap', os: 'darwin', model: 'book', epoch: 0 },
    ephemeral: fixed(4),
    nonce: fixed(6),
    ...over
  }
}

type Effect = InitiatorEffect | JoinerEffect

/** The effect of that kind; fails the test when it is not there. */
export function effect<K extends Effect['do']>(effects: readonly Effect[], kind: K): Extract<Effect, { do: K }> {
  const found = effects.find(e => e.do === kind)
  assert.ok(found, `expected the effect ${kind}, got ${effects.map(e => e.do).join(', ') || 'none'}`)
  return found as Extract<Effect, { do: K }>
}

export const sent = (effects: readonly Effect[]): Uint8Array => effect(effects, 'send').raw

/** Initiator from `await-request` to its Challenge, the turn given at once. */
export function toChallenge(
  state: InitiatorState,
  request: Uint8Array,
  codes: readonly CodeKeys[] = [ZERO_KEYS]
): { state: InitiatorState; raw: Uint8Array } {
  const asked = stepInitiator(state, { kind: 'frame', raw: request, codes })
  effect(asked.effects, 'wait-turn')
  const answered = stepInitiator(asked.state, { kind: 'turn', open: true })
  return { state: answered.state, raw: sent(answered.effects) }
}

/** Everything of one handshake in which both sides behave. */
export function wholeHandshake(i = initiatorInit(), j = joinerInit(), keys = ZERO_KEYS) {
  const frames: Uint8Array[] = []
  const started = joiner(j, keys)
  frames.push(sent(started.effects))
  const i0 = initiator(i)
  const challenged = toChallenge(i0, frames[0]!, [keys])
  frames.push(challenged.raw)
  const proven = stepJoiner(started.state, { kind: 'frame', raw: frames[1]! })
  effect(proven.effects, 'proven')
  const responded = stepJoiner(proven.state, { kind: 'chosen' })
  frames.push(sent(responded.effects))
  const shown = effect(responded.effects, 'show')
  const asked = stepInitiator(challenged.state, { kind: 'frame', raw: frames[2]!, codes: [keys] })
  const ask = effect(asked.effects, 'ask')
  assert.equal(effect(asked.effects, 'burn').proven, true)
  const answered = stepInitiator(asked.state, { kind: 'answer', accept: true })
  const savedByI = effect(answered.effects, 'save').paired
  const completed = stepInitiator(answered.state, { kind: 'saved' })
  frames.push(sent(completed.effects))
  const told = stepJoiner(responded.state, { kind: 'frame', raw: frames[3]! })
  const savedByJ = effect(told.effects, 'save').paired
  const finished = stepJoiner(told.state, { kind: 'saved' })
  frames.push(sent(finished.effects))
  effect(finished.effects, 'done')
  const end = stepInitiator(completed.state, { kind: 'frame', raw: frames[4]!, codes: [] })
  effect(end.effects, 'done')
  return {
    frames,
    ask,
    shown,
    savedByI,
    savedByJ,
    initiatorStates: { i0, asked: challenged.state, answer: asked.state, complete: completed.state } as Record<
      string,
      InitiatorState
    >,
    joinerStates: { challenge: started.state, complete: responded.state } as Record<string, JoinerState>
  }
}
