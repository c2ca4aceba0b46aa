import { LISTING_REST_NS, restedSince, type ScanRecord } from '../../storage/entries/index.js'
import type { EntryStat } from '../../storage/files/index.js'

/**
 * Why what the index holds of a directory's names may not be so any more.
 * - `never-listed`: the index has no whole listing of it (new, excluded by a rule, unreadable at that time)
 * - `gone`: it is not there now, or is no directory
 * - `replaced`: another directory has its name (inode or birth time)
 * - `changed`: its times are not those from before its listing
 * - `too-recent`: it was listed within a second of its last change; another change may hide behind the same time
 * - `unreadable`: it cannot be looked at
 */
export type StaleWhy = 'never-listed' | 'gone' | 'replaced' | 'changed' | 'too-recent' | 'unreadable'

/** What vouches for a fresh one: the record of its listing, or the watcher, which told each change since. */
export type DirectoryVerdict =
  | { readonly fresh: true; readonly by: 'record' | 'watcher' }
  | { readonly fresh: false; readonly why: StaleWhy }

export interface FreshnessRules {
  /** The location is watched without gaps, and what the watcher told is in the index. */
  readonly watched: boolean
  /** Step of the file system's times. */
  readonly timeStepNs: bigint
}

type Now = Pick<EntryStat, 'kind' | 'mtimeNs' | 'ctimeNs' | 'inode' | 'birthNs'>

/**
 * Whether the names of a directory are still those that the index holds, from one look at the directory. Says nothing of the
 * files in it: those are looked at when they are taken.
 * @param now - undefined: nothing is there
 */
export function judgeDirectory(
  record: ScanRecord | undefined,
  now: Now | undefined,
  { watched, timeStepNs }: FreshnessRules
): DirectoryVerdict {
  if (now === undefined || now.kind !== 'directory') return { fresh: false, why: 'gone' }
  if (record === undefined || !record.complete) return { fresh: false, why: 'never-listed' }
  if (!sameDirectory(record.row, now)) return { fresh: false, why: 'replaced' }
  const told = watched && record.row.mtimeNs === now.mtimeNs && record.row.ctimeNs === now.ctimeNs
  if (record.mtimeNs !== now.mtimeNs || record.ctimeNs !== now.ctimeNs) {
    return told ? { fresh: true, by: 'watcher' } : { fresh: false, why: 'changed' }
  }
  const coarseNs = timeStepNs > LISTING_REST_NS ? timeStepNs : 0n
  if (restedSince(now.mtimeNs, record.scannedAtMs, coarseNs)) return { fresh: true, by: 'record' }
  return told ? { fresh: true, by: 'watcher' } : { fresh: false, why: 'too-recent' }
}

/** It is the directory that the index knows, only its names may be others: what is below it can be judged by itself. */
export const isSameDirectory = (why: StaleWhy): boolean => why === 'changed' || why === 'too-recent'

/** By inode and birth time, where both ends know them. */
export function sameDirectory(a: Pick<Now, 'inode' | 'birthNs'>, b: Pick<Now, 'inode' | 'birthNs'>): boolean {
  const differ = (x: bigint, y: bigint): boolean =>
    x !== 0n && y !== 0n && BigInt.asIntN(64, x) !== BigInt.asIntN(64, y)
  return !differ(a.inode, b.inode) && !differ(a.birthNs, b.birthNs)
}

/**
 * How far times of directories can be trusted there.
 * - `network`: another machine's clock, and changes that show late
 * - `coarse-times`: its times have steps of a second or more
 * - `user-space`: a program answers for the file system (FUSE) and keeps times as it likes
 * - `by-the-watcher`: for some directories only the watcher vouches
 * - `no-index`: nothing was compared
 */
export type ConfidenceReason = 'network' | 'coarse-times' | 'user-space' | 'by-the-watcher' | 'no-index'
export type Confidence = 'high' | 'medium' | 'low'

export interface FileSystemFacts {
  readonly fileSystem: string
  readonly network: boolean
  readonly timeStepNs: bigint
}

export function confidenceOf(
  { fileSystem, network, timeStepNs }: FileSystemFacts,
  byWatcher: boolean
): { confidence: Confidence; reasons: ConfidenceReason[] } {
  const reasons: ConfidenceReason[] = []
  if (network) reasons.push('network')
  if (timeStepNs >= LISTING_REST_NS) reasons.push('coarse-times')
  if (fileSystem.startsWith('fuse')) reasons.push('user-space')
  const low = reasons.length > 0
  if (byWatcher) reasons.push('by-the-watcher')
  return { confidence: low ? 'low' : byWatcher ? 'medium' : 'high', reasons }
}
