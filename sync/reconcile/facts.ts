import { type End, type Entry, isPresent, otherEnd, type Present, versionOf } from './entry.js'
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

/** What an entry has seen once a sync wrote it, to be spread into an operation. */
export function writtenVersion(node: Node): { version?: Version } {
  return versionWritten(node.at.source?.entry, node.at.destination?.entry)
}

/** What a deletion has seen, and all that it deletes. */
export function deletionVersion(node: Node): { version?: Version } {
  return versionDeleted(node.at.source?.entry ?? node.gone.source, node.at.destination?.entry ?? node.gone.destination)
}

/**
 * All that either end's has seen. Not what a deletion has seen that it outlives: with that it would pass for a successor of the
 * deletion, and of the very thing for which another device deleted it since; and among three devices the deletion and the
 * return would follow one another for ever.
 */
export function versionWritten(source: Entry | undefined, destination: Entry | undefined): { version?: Version } {
  const seen = (entry: Entry | undefined): Version | undefined => (isPresent(entry) ? entry.version : undefined)
  return merged(seen(source), seen(destination))
}

export const versionDeleted = (source: Entry | undefined, destination: Entry | undefined): { version?: Version } =>
  merged(versionOf(source), versionOf(destination))

function merged(a: Version | undefined, b: Version | undefined): { version?: Version } {
  const version = mergeVersions(a, b)
  return version === undefined ? {} : { version }
}

/** What an end has of it now; of a directory that was not listed it is asked for. */
export function nowAt(c: Case, node: Node, end: End): Present | undefined {
  const place = node.at[end]
  if (place === undefined || place.entry !== undefined) return node.present(end)
  const found = c.rows.find(place.path)?.[end]
  return found?.kind === 'directory' ? found : undefined
}
