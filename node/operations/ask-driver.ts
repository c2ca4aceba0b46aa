import type { QuestionBody } from '../../protocols/agreements/index.js'
import { displayPath, displayText, pathBytes, type RelPath, SpacedriveError, typed } from '../../storage/base/index.js'
import type { ServedSync } from '../../sync/serving/index.js'
import type { Peer } from '../compose.js'

/** Asks the device that drives a sync, as a person here would there; its words come escaped. @throws as `Questions.ask` */
export async function askDriver(
  peer: Peer,
  served: ServedSync,
  question: QuestionBody,
  signal: AbortSignal
): Promise<unknown> {
  return escaped(await peer.questions.ask(served, question, signal))
}

/** What the driver says of a sync itself, for its own person: that it is said there, or has to be done there. */
export function saidBy<V extends { readonly halts?: readonly string[]; readonly hint?: string }>(
  peer: Peer,
  { device }: ServedSync,
  view: V
): V {
  const name = peer.devices.nameOf(device)
  const { halts, hint } = view
  return {
    ...view,
    ...(halts !== undefined && { halts: halts.map(halt => `${name}: ${halt}`) }),
    ...(hint !== undefined && { hint: `On ${name}: ${hint}` })
  }
}

/** Asked while this device lets the sync rest, the driver could only answer that. @throws {SpacedriveError} PAUSED */
export function ensureNotPaused({ name, paused }: ServedSync): void {
  if (!paused) return
  const shown = displayPath(name)
  throw new SpacedriveError('PAUSED', `${shown} is paused on this device`, {
    hint: `\`spacedrive sync resume ${typed(shown)}\` lets it go on.`
  })
}

/** As paths travel in a question. */
export const bodyOf = (path: RelPath): string => Buffer.from(pathBytes(path)).toString('base64')

/** Every text of another device, for the terminal. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return displayText(value)
  if (Array.isArray(value)) return value.map(escaped)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, escaped(v)]))
}
