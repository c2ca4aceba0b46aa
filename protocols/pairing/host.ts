/** Runs the initiator's machine on one stream of somebody who dialled us: does what its effects say, feeds it what comes. */
import type { Stream } from '@libp2p/interface'
import {
  type Clock,
  errorCode,
  type Logger,
  linkSignals,
  type Random,
  SpacedriveError,
  toError
} from '../../storage/base/index.js'
import type { Code } from './code.js'
import { pairingError } from './errors.js'
import {
  type FailureReason,
  type HandshakeInit,
  type InitiatorEffect,
  type InitiatorInput,
  type InitiatorState,
  initiator,
  stepInitiator
} from './initiator.js'
import { equal } from './kdf.js'
import { COMPLETE_TIMEOUT_MS, FAILURE_DELAY_MS, HANDSHAKE_TIMEOUT_MS, RESPONSE_TIMEOUT_MS } from './limits.js'
import { FAILED } from './messages.js'
import { describePeer, localHalf } from './parties.js'
import type { LocalIdentity, LocalInfo, PairedDevices, PairingPeer } from './ports.js'
import type { PairingPeerInfo } from './session.js'
import type { Turns } from './turns.js'
import { type Wire, wire } from './wire.js'

export interface HostComponents {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly devices: PairedDevices
  readonly turns: Turns
  info(): LocalInfo
  /** Codes that are open, and those of the last hour. */
  codes(): readonly Code[]
  mustWait(address: string): boolean
  countFailure(address: string): void
  /** Durable when it resolves. */
  saveBurn(code: Code, reason: 'used' | 'failed'): Promise<void>
}

/** Serves one stream to its end. Never throws: what goes wrong is told to the session, the log, and generically to the other side. */
export async function host(
  stream: Stream,
  peer: PairingPeer,
  local: LocalIdentity,
  components: HostComponents,
  stopped: AbortSignal
): Promise<void> {
  const linked = linkSignals(peer.signal, stopped)
  const run = new HostRun(wire(stream, components.clock, linked.signal), peer, local, components, linked.signal)
  try {
    await run.serve()
  } catch (err) {
    await run.interrupted(err)
  } finally {
    run.release()
    linked.clear()
  }
}

class HostRun {
  readonly #wire: Wire
  readonly #peer: PairingPeer
  readonly #c: HostComponents
  readonly #signal: AbortSignal
  readonly #init: HandshakeInit
  /** The code this run has its turn with; unset before, and once it has concluded. */
  #code: Code | undefined
  #closed: Code | undefined
  #described: PairingPeerInfo | undefined
  #keepGrants = false
  #late = false
  #saved = false
  #leaveTurn: (() => void) | undefined
  #unlink: (() => void) | undefined
  #frameAtMs = 0

  constructor(link: Wire, peer: PairingPeer, local: LocalIdentity, components: HostComponents, signal: AbortSignal) {
    this.#wire = link
    this.#peer = peer
    this.#c = components
    this.#signal = signal
    this.#init = localHalf(local, peer, components)
  }

  async serve(): Promise<void> {
    const startedMs = this.#c.clock.monotonicMs()
    let state: InitiatorState = initiator(this.#init)
    let input: InitiatorInput | undefined = await this.#receive(RESPONSE_TIMEOUT_MS, 'the pairing request')
    if (this.#c.mustWait(this.#peer.address)) return await this.#refuse('unproven')
    for (;;) {
      const step = stepInitiator(state, input)
      state = step.state
      input = undefined
      for (const effect of step.effects) input = (await this.#perform(effect)) ?? input
      if (state.at === 'done' || state.at === 'failed') return
      if (input !== undefined) continue
      const left = RESPONSE_TIMEOUT_MS - (this.#c.clock.monotonicMs() - startedMs)
      input =
        state.at === 'await-complete'
          ? await this.#receive(COMPLETE_TIMEOUT_MS, 'the last message')
          : await this.#receive(Math.min(HANDSHAKE_TIMEOUT_MS, Math.max(0, left)), 'the handshake')
    }
  }

  async #receive(timeoutMs: number, what: string): Promise<InitiatorInput> {
    const raw = await this.#wire.receive(timeoutMs, what)
    this.#frameAtMs = this.#c.clock.monotonicMs()
    return { kind: 'frame', raw, codes: this.#c.codes().map(code => code.keys) }
  }

  /** @returns what the machine is told next; undefined: nothing, it waits for a frame */
  async #perform(effect: InitiatorEffect): Promise<InitiatorInput | undefined> {
    switch (effect.do) {
      case 'send':
        await this.#wire.send(effect.raw)
        return undefined
      case 'wait-turn':
        return { kind: 'turn', open: await this.#takeTurn(effect.sessionId) }
      case 'burn':
        await this.#burn(effect.proven)
        return undefined
      case 'ask':
        return await this.#ask(describePeer(this.#peer.device, effect.info, effect.words, this.#c.devices))
      case 'save': {
        const { info, pairRoot, epoch } = effect.paired
        const { name, os, model } = info
        await this.#c.devices.savePaired({
          device: this.#peer.device,
          name,
          os,
          model,
          pairRoot,
          epoch,
          unconfirmed: true,
          keepGrants: this.#keepGrants
        })
        this.#saved = true
        return { kind: 'saved' }
      }
      case 'done':
        this.#code!.session.complete(this.#described!)
        await this.#wire.end()
        return undefined
      case 'fail':
        this.#unlink?.() // what follows may end the session, and still has to be said
        if (effect.counts) this.#c.countFailure(this.#peer.address)
        this.#conclude(effect.reason)
        await this.#refuse(effect.reason)
        return undefined
    }
  }

  /** One handshake with the right words at a time; whoever comes second waits and then finds the code used, or free again. */
  async #takeTurn(sessionId: Uint8Array): Promise<boolean> {
    const code = this.#c.codes().find(c => equal(c.keys.sessionId, sessionId))!
    this.#peer.progressed('request')
    this.#leaveTurn = await this.#c.turns.take({ signal: this.#signal })
    if (!code.isOpen()) {
      this.#closed = code
      return false
    }
    this.#code = code
    code.session.moveTo('handshake')
    const over = (): void => this.#wire.abort(code.session.over.signal.reason)
    code.session.over.signal.addEventListener('abort', over, { once: true })
    this.#unlink = () => code.session.over.signal.removeEventListener('abort', over)
    return true
  }

  async #burn(proven: boolean): Promise<void> {
    const code = this.#code!
    code.burn()
    if (proven) code.winner = this.#peer.device
    await this.#c.saveBurn(code, proven ? 'used' : 'failed')
    this.#leaveTurn?.()
  }

  async #ask(described: PairingPeerInfo): Promise<InitiatorInput> {
    this.#described = described
    this.#peer.progressed('response')
    // From here on the end of the session is this run's own doing: it says so to the other side itself.
    this.#unlink?.()
    const answer = await this.#wire.whileSilent(this.#code!.ask(described, this.#signal))
    this.#keepGrants = answer.keepGrants
    this.#late = answer.late
    return { kind: 'answer', accept: answer.accept }
  }

  /** What a failure means for the code and for the person. */
  #conclude(reason: FailureReason): void {
    const { device, address } = this.#peer
    this.#c.log.info('a pairing request was refused', { device, address, reason })
    if (this.#closed !== undefined) this.#comesLate(this.#closed)
    const code = this.#code
    this.#code = undefined
    if (code === undefined) return
    if (this.#saved)
      code.session.complete(this.#described!) // only its last word did not fit; the hello decides
    else if (reason === 'declined') {
      const why = this.#late ? 'nobody answered in time' : 'it was declined here'
      code.session.fail(pairingError('PAIRING_DECLINED', `${this.#described!.name} was not paired: ${why}`))
    } else if (code.burned) code.session.fail(responseInvalid())
    else code.reopen()
  }

  #comesLate(code: Code): void {
    // The same device twice is a second connection of it, not a second person.
    if (code.winner === this.#peer.device) return
    const what = code.winner === undefined ? 'that no longer holds' : 'that was used already'
    code.session.warn(
      code.winner === undefined ? 'CODE_EXPIRED' : 'CODE_USED',
      `somebody typed the words of a code ${what}, from ${this.#peer.address}`
    )
  }

  /** The one answer to everything that fails: the same bytes, the same time after what caused it. */
  async #refuse(_reason: FailureReason): Promise<void> {
    this.release()
    const elapsed = this.#c.clock.monotonicMs() - this.#frameAtMs
    await this.#c.clock.sleep(Math.max(0, FAILURE_DELAY_MS - elapsed), { signal: this.#signal })
    await this.#wire.end(FAILED)
  }

  /** The connection went away, a deadline passed, the disk refused, the person cancelled. */
  async interrupted(err: unknown): Promise<void> {
    this.#unlink?.()
    const code = this.#code
    const session = code?.session
    if (code !== undefined && session !== undefined && !session.ended) {
      if (this.#saved) session.complete(this.#described!)
      else if (code.burned) {
        const hint = 'The code is used up. Make a new one with `spacedrive network pair generate`.'
        const text = `the pairing was interrupted: ${toError(err).message}`
        const known = err instanceof SpacedriveError && !['STREAM_CLOSED', 'UNEXPECTED_MESSAGE'].includes(err.code)
        session.fail(known ? err : pairingError('PAIRING_INTERRUPTED', text, { hint, cause: err }))
      } else code.reopen()
    }
    this.#c.log.info('a pairing ended early', { device: this.#peer.device, code: errorCode(err) })
    await this.#wire.end(FAILED)
    this.#wire.abort(err)
  }

  release(): void {
    this.#leaveTurn?.()
    this.#unlink?.()
  }
}

function responseInvalid(): SpacedriveError {
  return pairingError('RESPONSE_INVALID', 'somebody had the words but could not prove who it is; the code is used up', {
    hint: 'If it was not you, somebody saw the words. Make a new code where nobody looks.'
  })
}
