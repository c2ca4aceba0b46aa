import type { AbortOptions } from '../../storage/base/index.js'

/** One at a time, in the order of asking. */
export class Turns {
  #taken = false
  readonly #waiting: (() => void)[] = []

  /** @returns a function that gives the turn back, safe to call twice. @throws signal.reason while waiting */
  async take({ signal }: AbortOptions = {}): Promise<() => void> {
    signal?.throwIfAborted()
    if (this.#taken) {
      await new Promise<void>((resolve, reject) => {
        const given = (): void => {
          signal?.removeEventListener('abort', aborted)
          resolve()
        }
        const aborted = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(given), 1)
          reject(signal?.reason)
        }
        this.#waiting.push(given)
        signal?.addEventListener('abort', aborted, { once: true })
      })
    }
    this.#taken = true // handed over without a gap: `given` runs while it is still taken
    let given = false
    return () => {
      if (given) return
      given = true
      const next = this.#waiting.shift()
      if (next === undefined) this.#taken = false
      else next()
    }
  }
}
