import type { FileName } from '../../storage/base/index.js'
import { MAX_NAME_BYTES, pathBytes } from '../../storage/base/paths.js'

/** More of a device's name than this makes names of files hard to read. */
export const MAX_DEVICE_IN_NAME = 20
const NS_PER_MS = 1_000_000n
const COPY = /\.conflict-\d{8}-\d{6}-[\p{L}\p{N}_-]{1,20}(-\d+)?(\.[^.]*)?$/u

export interface ConflictName {
  readonly name: FileName
  /** The loser's mtime. */
  readonly mtimeNs: bigint
  /** The device that made the losing content. */
  readonly device: string
}

/**
 * `stem.conflict-YYYYMMDD-HHMMSS-DEVICE.ext`, then the same with `-2`, `-3` ... before the extension (SYNC.md 3). Depends on
 * nothing but its arguments, so that every device gives one conflict one name.
 */
export function* conflictNames({ name, mtimeNs, device }: ConflictName): Generator<FileName> {
  const dot = name.lastIndexOf('.')
  const [stem, ext] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
  const middle = `.conflict-${timeOf(mtimeNs)}-${deviceOf(device)}`
  for (let n = 1; ; n++) yield fitted(stem, n === 1 ? middle : `${middle}-${n}`, ext)
}

/** A conflict copy gets none of its own. */
export const isConflictCopy = (name: string): boolean => COPY.test(name)

function fitted(stem: string, middle: string, ext: string): FileName {
  const whole = stem + middle + ext
  if (bytes(whole) <= MAX_NAME_BYTES) return whole as FileName
  // An extension that leaves no room for a stem is none.
  const [cut, end] = bytes(`_${middle}${ext}`) <= MAX_NAME_BYTES ? [stem, middle + ext] : [stem + ext, middle]
  const characters = Array.from(cut)
  let room = MAX_NAME_BYTES - bytes(end)
  const kept: string[] = []
  for (const c of characters) {
    room -= bytes(c)
    if (room < 0) break
    kept.push(c)
  }
  return (kept.join('') + end) as FileName
}

const bytes = (text: string): number => pathBytes(text).length

function timeOf(mtimeNs: bigint): string {
  const ms = Number(mtimeNs / NS_PER_MS)
  // Beyond what a Date can say, or before the year 0: the nearest it can.
  const text = new Date(Math.min(Math.max(ms, -62_167_219_200_000), 253_402_300_799_000)).toISOString()
  return `${text.slice(0, 10).replaceAll('-', '')}-${text.slice(11, 19).replaceAll(':', '')}`
}

function deviceOf(name: string): string {
  const text = Array.from(name.replace(/[^\p{L}\p{N}_-]/gu, ''))
    .slice(0, MAX_DEVICE_IN_NAME)
    .join('')
  return text === '' ? 'device' : text
}
