import { lstatSync } from 'node:fs'
import { type AbsPath, errorCode, fsPath, type PlainError, type RelPath, ROOT } from '../base/index.js'
import { MAX_UNCOVERED_NAMED } from './limits.js'
import type { WatchCoverage } from './watcher.js'

/** Where a back end tells what it sees; all of this runs in the watching thread. */
export interface BackendSink {
  hint(path: RelPath, subtree: boolean): void
  coverage(coverage: WatchCoverage): void
  rootLost(): void
}

export interface Backend {
  /** Resolves when the tree is watched. */
  start(): Promise<void>
  stop(): Promise<void>
}

export const COVERED: WatchCoverage = Object.freeze({ complete: true, uncovered: [], problem: null })

/** What the system said when it granted no more, with the cure in words. */
export function limitProblem(code: string): PlainError {
  if (code === 'EMFILE' || code === 'ENFILE') {
    return {
      code: 'WATCH_LIMIT',
      message: 'the system grants this user no more file watchers (fs.inotify.max_user_instances, or open files)',
      hint: 'Raise it: sudo sysctl fs.inotify.max_user_instances=512, and for good in /etc/sysctl.d/. Until then the rest is looked at every 30 seconds.'
    }
  }
  return {
    code: 'WATCH_LIMIT',
    message: 'the system grants this user no more watches (fs.inotify.max_user_watches)',
    hint: 'Raise it: sudo sysctl fs.inotify.max_user_watches=1048576, and for good in /etc/sysctl.d/. Until then the rest is looked at every 30 seconds.'
  }
}

export function isLimit(err: unknown): boolean {
  return ['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM'].includes(errorCode(err))
}

export function uncoveredReport(paths: readonly RelPath[], problem: PlainError): WatchCoverage {
  return { complete: false, uncovered: paths.slice(0, MAX_UNCOVERED_NAMED), problem }
}

/** A path of a library that speaks absolute paths; undefined for what is not below the root. */
export function relativeTo(root: AbsPath, path: string): RelPath | undefined {
  if (path === root) return ROOT
  const prefix = root === '/' ? '/' : `${root}/`
  return path.startsWith(prefix) ? (path.slice(prefix.length) as RelPath) : undefined
}

/** Tells a directory from another at the same path: inode numbers alone are used again at once. */
export interface DirectoryIdentity {
  readonly inode: bigint
  readonly device: bigint
  readonly birthNs: bigint
}

/** Undefined for what is no directory (a symlink is none) or not there. */
export function directoryAt(path: string): DirectoryIdentity | undefined {
  try {
    const s = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false })
    return s?.isDirectory() ? { inode: s.ino, device: s.dev, birthNs: s.birthtimeNs } : undefined
  } catch {
    return undefined
  }
}

export function sameDirectory(a: DirectoryIdentity, b: DirectoryIdentity | undefined): boolean {
  return b !== undefined && a.inode === b.inode && a.device === b.device && a.birthNs === b.birthNs
}
