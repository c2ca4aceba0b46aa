/** A promise that is settled again and again: who waits gets the next settlement, or the one that holds. */
export class Ready {
  promise!: Promise<void>
  #resolve!: () => void
  #reject!: (reason: unknown) => void
  #settled = false

  constructor() {
    this.#fresh()
  }

  resolve(): void {
    if (this.#settled) this.#fresh()
    this.#settled = true
    this.#resolve()
  }

  reject(reason: unknown): void {
    if (this.#settled) this.#fresh()
    this.#settled = true
    this.#reject(reason)
  }

  #fresh(): void {
    this.#settled = false
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.promise.catch(() => {}) // told to those who wait
  }
}
