/** Runs the joiner's machine on one stream that we opened to somebody who may show the code. */
import { type Clock, hasCode, linkSignals, type Random, toError } from '../../storage/base/index.js'
import type { CodeKeys } from './derive.js'
import { pairingError } from './errors.js'
import { type JoinerEffect, type JoinerInput, type JoinerState, joiner, stepJoiner } from './joiner.js'
import { ANSWER_GRACE_MS, ANSWER_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS } from './limits.js'
import { describePeer, localHalf } from './parties.js'
import type { LocalIdentity, LocalInfo, PairedDevices, PairingStream } from './ports.js'
import type { PairingPeerInfo } from './session.js'
import { type Wire, wire } from './wire.js'

export interface GuestComponents {
  readonly clock: Clock
  readonly random: Random
  readonly devices: PairedDevices
  info(): LocalInfo
}

export interface GuestInit {
  readonly keys: CodeKeys
  readonly local: LocalIdentity
  readonly keepGrants: boolean
  /** The first that proves itself is chosen; false for everybody after it. */
  choose(): boolean
  /** The four words can be shown now. */
  show(peer: PairingPeerInfo): void
  /** Aborted when the search is over or somebody else was chosen. */
  readonly signal: AbortSignal
}

/**
 * @returns the device it is paired with from now on
 * @throws PAIRING_REFUSED when the other side does not take our words; NOT_PROVEN when it could not prove that it knows
 *   them; once chosen PAIRING_DECLINED and PAIRING_INTERRUPTED; the signal's reason
 */
export async function visit(
  stream: PairingStream,
  init: GuestInit,
  components: GuestComponents
): Promise<PairingPeerInfo> {
  const linked = linkSignals(init.signal, stream.peer.signal)
  const run = new GuestRun(wire(stream.stream, components.clock, linked.signal), stream, init, components)
  try {
    return await run.visit()
  } catch (err) {
    run.abort(err)
    init.signal.throwIfAborted()
    throw run.chosen && hasCode(err, 'STREAM_CLOSED', 'TIMEOUT', 'TRUNCATED') ? interrupted(err) : err
  } finally {
    linked.clear()
    stream.release()
  }
}

class GuestRun {
  chosen = false
  readonly #wire: Wire
  readonly #stream: PairingStream
  readonly #init: GuestInit
  readonly #c: GuestComponents
  #described: PairingPeerInfo | undefined

  constructor(link: Wire, stream: PairingStream, init: GuestInit, components: GuestComponents) {
    this.#wire = link
    this.#stream = stream
    this.#init = init
    this.#c = components
  }

  abort(reason: unknown): void {
    this.#wire.abort(reason)
  }

  async visit(): Promise<PairingPeerInfo> {
    let step = joiner(localHalf(this.#init.local, this.#stream.peer, this.#c), this.#init.keys)
    for (;;) {
      const state: JoinerState = step.state
      let input: JoinerInput | undefined
      for (const effect of step.effects) input = (await this.#perform(effect)) ?? input
      if (state.at === 'done') return this.#described!
      input ??= await this.#receive(state)
      step = stepJoiner(state, input)
    }
  }

  async #receive(state: JoinerState): Promise<JoinerInput> {
    const raw = await (state.at === 'await-complete'
      ? this.#wire.receive(ANSWER_TIMEOUT_MS + ANSWER_GRACE_MS, 'the answer of the other person')
      : this.#wire.receive(HANDSHAKE_TIMEOUT_MS, 'the handshake'))
    return { kind: 'frame', raw }
  }

  async #perform(effect: JoinerEffect): Promise<JoinerInput | undefined> {
    switch (effect.do) {
      case 'send':
        await this.#wire.send(effect.raw)
        return undefined
      case 'proven':
        this.chosen = this.#init.choose()
        if (this.chosen) return { kind: 'chosen' }
        throw pairingError('CANCELLED', 'another address was faster')
      case 'show':
        this.#described = describePeer(this.#stream.peer.device, effect.info, effect.words, this.#c.devices)
        this.#init.show(this.#described)
        return undefined
      case 'save': {
        const { info, pairRoot, epoch } = effect.paired
        const { name, os, model } = info
        const { device } = this.#stream.peer
        const keepGrants = this.#init.keepGrants
        await this.#c.devices.savePaired({ device, name, os, model, pairRoot, epoch, unconfirmed: true, keepGrants })
        return { kind: 'saved' }
      }
      case 'done':
        await this.#wire.end()
        return undefined
      case 'fail':
        throw this.#failure(effect.reason)
    }
  }

  #failure(reason: string): Error {
    if (this.chosen) {
      if (reason === 'refused') {
        return pairingError('PAIRING_DECLINED', 'the other device did not accept', {
          hint: 'Its person said no, or did not answer in time. The code is used up: make a new one there.'
        })
      }
      return pairingError('PAIRING_INTERRUPTED', `the other device broke the handshake off (${reason})`)
    }
    if (reason === 'refused') {
      return pairingError('PAIRING_REFUSED', 'the other device does not take these words', {
        hint: 'Compare the words; if they are right, the code has expired or was used: make a new one there.'
      })
    }
    if (reason === 'self') return pairingError('NOT_PROVEN', 'that is this device itself')
    return pairingError('NOT_PROVEN', 'whoever answered does not know the words')
  }
}

function interrupted(cause: unknown): Error {
  return pairingError('PAIRING_INTERRUPTED', `the pairing was interrupted: ${toError(cause).message}`, {
    cause,
    hint: 'The code is used up. Make a new one on the other device.'
  })
}
