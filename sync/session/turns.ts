import { type AbortOptions, raceSignal } from '../../storage/base/index.js'

export interface TakeOptions extends AbortOptions {
  /** Called, perhaps often, when somebody else comes for what this turn has. */
  readonly wanted?: (() => void) | undefined
}

/**
 * Who works at the same thing takes turns; who shares nothing goes on side by side. All keys of a turn are had at once, in the
 * order of asking, so nobody waits for one while he holds another.
 */
export class Turns {
  readonly #queue: {
    readonly keys: ReadonlySet<string>
    readonly ended: Promise<void>
    readonly wanted: TakeOptions['wanted']
  }[] = []

  /** @returns ends the turn; @throws `signal.reason` while it waits: then there is no turn to end */
  async take(keys: readonly string[], { wanted, signal }: TakeOptions = {}): Promise<() => void> {
    signal?.throwIfAborted()
    const others = this.#queue.filter(other => keys.some(key => other.keys.has(key)))
    const before = others.map(other => other.ended)
    let end = (): void => {}
    const ended = new Promise<void>(resolve => {
      end = resolve
    })
    const mine = { keys: new Set(keys), ended, wanted }
    this.#queue.push(mine)
    for (const other of others) other.wanted?.()
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
    const others = this.#queue.filter(other => keys.some(key => other.keys.has(key)))
    for (const other of others) other.wanted?.()
    await raceSignal(Promise.all(others.map(other => other.ended)), signal)
  }

  /** Whether somebody has, or waits for, a turn with this key. */
  busy(key: string): boolean {
    return this.#queue.some(other => other.keys.has(key))
  }
}
