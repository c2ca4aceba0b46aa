import { type AbortOptions, raceSignal } from '../../storage/base/index.js'

/**
 * Who works at the same thing takes turns; who shares nothing goes on side by side. All keys of a turn are had at once, in the
 * order of asking, so nobody waits for one while he holds another.
 */
export class Turns {
  readonly #queue: { readonly keys: ReadonlySet<string>; readonly ended: Promise<void> }[] = []

  /** @returns ends the turn; @throws `signal.reason` while it waits: then there is no turn to end */
  async take(keys: readonly string[], { signal }: AbortOptions = {}): Promise<() => void> {
    signal?.throwIfAborted()
    const before = this.#queue.filter(other => keys.some(key => other.keys.has(key))).map(other => other.ended)
    let end = (): void => {}
    const ended = new Promise<void>(resolve => {
      end = resolve
    })
    const mine = { keys: new Set(keys), ended }
    this.#queue.push(mine)
    const leave = (): void => {
      const at = this.#queue.indexOf(mine)
      if (at >= 0) this.#queue.splice(at, 1)
      end()
    }
    try {
      await raceSignal(Promise.all(before), signal)
      return leave
    } catch (err) {
      // Those behind waited for all before them, too: leaving early lets nobody pass.
      void Promise.all(before).then(leave)
      throw err
    }
  }

  /** Waits, without a place in the queue, until nobody has or waits for one of these. */
  async free(keys: readonly string[], { signal }: AbortOptions = {}): Promise<void> {
    const before = this.#queue.filter(other => keys.some(key => other.keys.has(key))).map(other => other.ended)
    await raceSignal(Promise.all(before), signal)
  }

  /** Whether somebody has, or waits for, a turn with this key. */
  busy(key: string): boolean {
    return this.#queue.some(other => other.keys.has(key))
  }
}
