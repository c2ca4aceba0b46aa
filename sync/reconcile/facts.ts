import { type End, otherEnd, type Present, versionOf } from './entry.js'
import type { Node } from './node.js'
import type { Origin } from './operation.js'
import { type Case, wantedPath } from './target.js'
import { mergeVersions, type Version } from './version.js'

/** Where the other end has the content that a node gets at `end`. */
export function originOf(c: Case, node: Node, end: End): Origin {
  const from = otherEnd(end)
  const { path } = node.at[from]!
  const later = node.want[from] === undefined ? path : wantedPath(c, node, from)
  return later === path ? { end: from, path } : { end: from, path, later }
}

/** What an entry has seen once a sync wrote it: all that either end's has. */
export function writtenVersion(node: Node): { version?: Version } {
  const of = (end: End): Version | undefined => versionOf(node.at[end]?.entry ?? node.gone[end])
  const version = mergeVersions(of('source'), of('destination'))
  return version === undefined ? {} : { version }
}

/** What an end has of it now; of a directory that was not listed it is asked for. */
export function nowAt(c: Case, node: Node, end: End): Present | undefined {
  const place = node.at[end]
  if (place === undefined || place.entry !== undefined) return node.present(end)
  const found = c.rows.find(place.path)?.[end]
  return found?.kind === 'directory' ? found : undefined
}
