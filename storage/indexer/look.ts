import { lstatSync } from 'node:fs'
import { errorCode, fsPath, toError } from '../base/index.js'
import { KIND } from '../entries/index.js'
import { MARKER_NAME } from '../files/index.js'
import type { DirectoryStat } from './batch.js'

/** What one lstat says. `denied`: the name is there, but it could not be looked at. */
export type Look =
  | { readonly state: 'gone' }
  | (DirectoryStat & LookFields & { readonly state: 'seen' })
  | (DirectoryStat & LookFields & { readonly state: 'denied'; readonly code: string; readonly message: string })

interface LookFields {
  readonly kind: number
  readonly sizeBytes: number
  readonly device: bigint
  /** Size of the directory file itself: tells a huge one before it is listed. */
  readonly directoryBytes: bigint
}

const S_IFMT = 0o170000
const S_IFDIR = 0o040000
const S_IFREG = 0o100000
const S_IFLNK = 0o120000

const GONE: Look = { state: 'gone' }

export function lookAt(path: string): Look {
  try {
    const s = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false })
    if (s === undefined) return GONE
    const mode = Number(s.mode)
    const format = mode & S_IFMT
    const kind =
      format === S_IFREG
        ? KIND.FILE
        : format === S_IFDIR
          ? KIND.DIRECTORY
          : format === S_IFLNK
            ? KIND.SYMLINK
            : KIND.OTHER
    return {
      state: 'seen',
      kind,
      // A directory's own size says nothing of what it holds.
      sizeBytes: kind === KIND.DIRECTORY ? 0 : Number(s.size),
      mtimeNs: s.mtimeNs,
      ctimeNs: s.ctimeNs,
      birthNs: s.birthtimeNs,
      inode: s.ino,
      device: s.dev,
      mode,
      directoryBytes: kind === KIND.DIRECTORY ? s.size : 0n
    }
  } catch (err) {
    const code = errorCode(err)
    if (code === 'ENOTDIR' || code === 'ENOENT') return GONE
    return {
      state: 'denied',
      code,
      message: toError(err).message,
      kind: KIND.OTHER,
      sizeBytes: 0,
      mtimeNs: 0n,
      ctimeNs: 0n,
      birthNs: 0n,
      inode: 0n,
      device: 0n,
      mode: 0,
      directoryBytes: 0n
    }
  }
}

/** `.spacedrive` is ours where it holds the marker, whoever may read it. */
export function isOurArea(path: string): boolean {
  return lookAt(`${path}/${MARKER_NAME}`).state !== 'gone'
}
