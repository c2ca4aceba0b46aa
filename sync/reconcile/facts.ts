import { type End, type Entry, otherEnd, type Present, versionOf } from './entry.js'
import type { Node } from './node.js'
import type { Origin } from './operation.js'
import type { ReconcileOptions } from './options.js'
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
export function writtenVersion({ options }: Case, node: Node): { version?: Version } {
  return versionWritten(
    node.at.source?.entry ?? node.gone.source,
    node.at.destination?.entry ?? node.gone.destination,
    options
  )
}

/**
 * All that either end's has seen. Not so where, both ways and without an archive, what one end deleted comes back: whoever made that
 * deletion, or knows of it, has not been asked. With its version the thing would pass for a successor of the deletion, and
 * among three devices the deletion and the return would follow one another for ever.
 */
export function versionWritten(
  source: Entry | undefined,
  destination: Entry | undefined,
  { archive, mode }: ReconcileOptions
): { version?: Version } {
  const union = !archive && mode === 'bidirectional'
  const told = (entry: Entry | undefined): Version | undefined =>
    union && entry?.kind === 'gone' ? undefined : versionOf(entry)
  const version = mergeVersions(told(source), told(destination))
  return version === undefined ? {} : { version }
}

/** What an end has of it now; of a directory that was not listed it is asked for. */
export function nowAt(c: Case, node: Node, end: End): Present | undefined {
  const place = node.at[end]
  if (place === undefined || place.entry !== undefined) return node.present(end)
  const found = c.rows.find(place.path)?.[end]
  return found?.kind === 'directory' ? found : undefined
}
