import { raceSignal } from '../../../storage/base/index.js'

/** Places for so many at once, and so many bytes, given in the order of asking. What is larger than all goes while no other bytes do. */
export class Turns {
  readonly #places: number
  #bytes: number
  readonly #waiting: { bytes: number; go(): void; fail(err: Error): void }[] = []
  /** Given a place and not yet gone on: who asks now comes behind them, also when there is room. */
  #coming = 0
  #taken = 0
  #takenBytes = 0
  #ended: Error | undefined

  constructor(places: number, bytes: number) {
    this.#places = places
    this.#bytes = bytes
  }

  /** @returns gives the place back; may be called twice. @throws `signal.reason`; what `end` was given */
  async take(bytes: number, signal?: AbortSignal): Promise<() => void> {
    if (this.#ended !== undefined) throw this.#ended
    if (this.#waiting.length > 0 || this.#coming > 0 || !this.#fits(bytes)) {
      const turn = { bytes, go: (): void => {}, fail: (_: Error): void => {} }
      const gone = new Promise<void>((resolve, reject) => {
        turn.go = resolve
        turn.fail = reject
      })
      this.#waiting.push(turn)
      try {
        await raceSignal(gone, signal)
        this.#coming--
        this.#next()
      } catch (err) {
        const at = this.#waiting.indexOf(turn)
        if (at >= 0) this.#waiting.splice(at, 1)
        else if (this.#ended === undefined) {
          this.#coming--
          this.#giveBack(bytes)
        }
        throw err
      }
    } else {
      this.#taken++
      this.#takenBytes += bytes
    }
    let held = true
    return () => {
      if (held) this.#giveBack(bytes)
      held = false
    }
  }

  /** So many bytes may be under way from now on. */
  allow(bytes: number): void {
    this.#bytes = bytes
    this.#next()
  }

  /** Nobody gets a place any more. */
  end(reason: Error): void {
    this.#ended = reason
    for (const turn of this.#waiting.splice(0)) turn.fail(reason)
  }

  #fits(bytes: number): boolean {
    return this.#taken < this.#places && (this.#takenBytes === 0 || this.#takenBytes + bytes <= this.#bytes)
  }

  #giveBack(bytes: number): void {
    this.#taken--
    this.#takenBytes -= bytes
    this.#next()
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#fits(this.#waiting[0]!.bytes)) {
      const turn = this.#waiting.shift()!
      this.#taken++
      this.#takenBytes += turn.bytes
      this.#coming++
      turn.go()
    }
  }
}
