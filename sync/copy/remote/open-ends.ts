/** Folders that were opened to see what goes where, and are copied from or into right after: over a network each opening is three round trips. */
import type { AbortOptions } from '../../../storage/base/index.js'
import type { Endpoint } from '../../endpoints/index.js'
import type { Place } from './input.js'
import type { Ends } from './ports.js'

type Access = Parameters<Ends['open']>[1]

/** Looks into folders. */
export interface Visits extends Pick<Ends, 'nameOf'> {
  /** Opens a folder for as long as `use` takes. @throws what opening it throws, and what `use` throws */
  visit<T>(
    place: Place,
    access: Access,
    use: (endpoint: Endpoint) => T | Promise<T>,
    options?: AbortOptions
  ): Promise<T>
}

/** Kept open at most: one to read from, one to write into. A device opens only so many for another one. */
const MOST_KEPT = 2

/** The ends of one try of a job. What was visited last is still open when it is asked for; `close` closes what nobody asked for. */
export class OpenEnds implements Visits, Pick<Ends, 'open'> {
  readonly nameOf: Ends['nameOf']
  readonly #ends: Pick<Ends, 'open'>
  readonly #kept: { readonly place: Place; readonly access: Access; readonly endpoint: Endpoint }[] = []

  constructor(ends: Pick<Ends, 'open' | 'nameOf'>) {
    this.#ends = ends
    this.nameOf = device => ends.nameOf(device)
  }

  /** It is the caller's, who closes it. */
  async open(place: Place, access: Access, options?: AbortOptions): Promise<Endpoint> {
    const at = this.#kept.findIndex(
      ({ place: { device, path }, access: kept }) => device === place.device && path === place.path && kept === access
    )
    return at === -1 ? this.#ends.open(place, access, options) : this.#kept.splice(at, 1)[0]!.endpoint
  }

  async visit<T>(
    place: Place,
    access: Access,
    use: (endpoint: Endpoint) => T | Promise<T>,
    options?: AbortOptions
  ): Promise<T> {
    const endpoint = await this.open(place, access, options)
    try {
      const result = await use(endpoint)
      this.#kept.push({ place, access, endpoint })
      return result
    } catch (err) {
      await endpoint.close()
      throw err
    } finally {
      await this.#closeAllBut(MOST_KEPT)
    }
  }

  close(): Promise<void> {
    return this.#closeAllBut(0)
  }

  /** Those that were visited first. */
  async #closeAllBut(most: number): Promise<void> {
    while (this.#kept.length > most) await this.#kept.shift()!.endpoint.close()
  }
}

/** Runs `work` with ends that are closed when it ends. */
export async function withOpenEnds<T>(
  ends: Pick<Ends, 'open' | 'nameOf'>,
  work: (opened: OpenEnds) => Promise<T>
): Promise<T> {
  const opened = new OpenEnds(ends)
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}
