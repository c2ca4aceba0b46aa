/**
 * Looking at the disk and recording it is one step as far as others of the same library can see: whoever looks later also
 * records later. A long walk holds the gate for a few slices and lets others through between two of them.
 */
export class Gate {
  #held = false
  readonly #waiting: (() => void)[] = []

  /** Somebody waits: a walk finishes what it has in hand and lets him through. */
  get wanted(): boolean {
    return this.#waiting.length > 0
  }

  async enter(): Promise<void> {
    if (!this.#held) {
      this.#held = true
      return
    }
    await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  /** Lets whoever waits go first. */
  async letPass(): Promise<void> {
    if (!this.wanted) return
    this.leave()
    await this.enter()
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#held = false
    else next()
  }
}
