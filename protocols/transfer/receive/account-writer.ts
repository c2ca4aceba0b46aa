import { CREDIT_BYTES } from '../limits.js'
import type { Partial } from '../send/content-sender.js'
import { encodeProblems, type ProblemRow } from '../stream/problem-rows.js'
import { CREDIT, GO, HAVE, PARTIAL, PROBLEMS, Sealer } from '../stream/records.js'
import { windowToWire } from '../stream/window.js'

/** Credit is granted by the eighth of the window: fewer answers than that would stall the sender, more would only cost. */
const CREDITS_A_WINDOW = 8
/** A piece of the bitmap of what is there: 256 Ki entries. */
const HAVE_PIECE_BYTES = 32 * 1024
/** Problems that wait for one record. */
const MAX_WAITING_PROBLEMS = 512
const NOTHING = new Uint8Array(0)

/** Writes the receiver's records on the channel `account`. */
export class AccountWriter {
  readonly #sealer: Sealer
  readonly #send: (frame: Uint8Array) => void
  readonly #problems: ProblemRow[] = []
  /** What may be on its way from now on: the next GO or CREDIT says it. */
  windowBytes = CREDIT_BYTES
  /** What the sender was told of that last. */
  toldBytes = CREDIT_BYTES
  #credited = 0
  #consumed = 0

  constructor(key: Uint8Array, transfer: Uint8Array, send: (frame: Uint8Array) => void) {
    this.#sealer = new Sealer(key, transfer)
    this.#send = send
  }

  /** What need not be sent, and what was begun. */
  begin(settled: Uint8Array, partials: readonly Partial[]): void {
    this.#problems.length = 0 // all of them follow
    for (let at = 0; at < settled.length; at += HAVE_PIECE_BYTES)
      this.#record(HAVE, 0, at, settled.subarray(at, at + HAVE_PIECE_BYTES))
    for (const { file, length, hash } of partials) this.#record(PARTIAL, file, length, hash)
  }

  go(): void {
    this.flush()
    this.#recordWindow(GO, 0)
  }

  problem(file: number, code: string): void {
    this.#problems.push({ file, code })
    if (this.#problems.length >= MAX_WAITING_PROBLEMS) this.#sendProblems()
  }

  /** @param idle - nothing else waits: what was consumed is told even if it is little */
  credit(consumed: number, idle: boolean): void {
    this.#consumed = consumed
    if (consumed - this.#credited >= this.windowBytes / CREDITS_A_WINDOW || (idle && consumed > this.#credited))
      this.#sendCredit()
  }

  flush(): void {
    this.#sendProblems()
    if (this.#consumed > this.#credited) this.#sendCredit()
  }

  #sendCredit(): void {
    this.#credited = this.#consumed
    this.#recordWindow(CREDIT, this.#consumed)
  }

  #recordWindow(type: number, offset: number): void {
    this.toldBytes = this.windowBytes
    this.#record(type, windowToWire(this.windowBytes), offset, NOTHING)
  }

  #sendProblems(): void {
    if (this.#problems.length === 0) return
    const rows = this.#problems.splice(0)
    this.#record(PROBLEMS, rows.length, 0, encodeProblems(rows))
  }

  #record(type: number, file: number, offset: number, payload: Uint8Array): void {
    this.#send(this.#sealer.seal({ type, flags: 0, file, offset, length: payload.length }, payload))
  }
}
