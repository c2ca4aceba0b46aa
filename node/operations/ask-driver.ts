import type { QuestionBody } from '../../protocols/agreements/index.js'
import { displayText, pathBytes, type RelPath } from '../../storage/base/index.js'
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

/** As paths travel in a question. */
export const bodyOf = (path: RelPath): string => Buffer.from(pathBytes(path)).toString('base64')

/** Every text of another device, for the terminal. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return displayText(value)
  if (Array.isArray(value)) return value.map(escaped)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, escaped(v)]))
}
