/**
 * Names and paths. On disk they are bytes; in the program they are strings in which every byte that is not part of valid
 * UTF-8 stands as a lone low surrogate U+DC80..U+DCFF (Python's "surrogateescape", PEP 383). The mapping is exact both
 * ways, costs nothing for ordinary names, and such strings compare, join and split like any other.
 *
 * - towards the file system: `fsPath` (a string where that is exact, else a Buffer);
 * - towards the wire and SQLite: `pathBytes` / `pathFromBytes` (never a string: UTF-8 encoders destroy lone surrogates);
 * - towards a person: `displayPath` (`\xHH` for each odd byte, `\\` for a backslash).
 */
import type { Brand } from './ids.js'

/** One name within a directory: no `/`, no NUL, not empty, not `.` or `..`. */
export type FileName = Brand<string, 'FileName'>
/** Names joined by `/`, relative to some root. The root itself is the empty string. */
export type RelPath = Brand<string, 'RelPath'>
/** An absolute, normalized path on this device. */
export type AbsPath = Brand<string, 'AbsPath'>

export const ROOT = '' as RelPath
/** What Linux and macOS allow for one name, and what the wire accepts. */
export const MAX_NAME_BYTES = 255
/** PATH_MAX on Linux; longer ones cannot be opened in one call. */
export const MAX_PATH_BYTES = 4096

const ODD = /[\udc80-\udcff]/
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes from a directory listing, a database or the wire. Accepts any bytes. */
export function textFromBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    return escapeInvalid(bytes)
  }
}

/** The exact bytes behind a name or path. */
export function pathBytes(path: string): Buffer {
  if (!ODD.test(path) || !LONE_SURROGATE.test(path)) return Buffer.from(path, 'utf8')
  const parts: Buffer[] = []
  let clean = 0
  for (let i = 0; i < path.length; i++) {
    const c = path.charCodeAt(i)
    if (c >= 0xd800 && c < 0xdc00) {
      i++ // a pair: the low half is part of it
      continue
    }
    if (c < 0xdc80 || c > 0xdcff) continue
    parts.push(Buffer.from(path.slice(clean, i), 'utf8'), Buffer.from([c - 0xdc00]))
    clean = i + 1
  }
  parts.push(Buffer.from(path.slice(clean), 'utf8'))
  return Buffer.concat(parts)
}

/** What Node's fs takes: the string itself where it is exact, else bytes. */
export function fsPath(path: string): string | Buffer {
  return ODD.test(path) && LONE_SURROGATE.test(path) ? pathBytes(path) : path
}

/** True when the bytes behind it are valid UTF-8. */
export function isPlainUtf8(path: string): boolean {
  return !LONE_SURROGATE.test(path)
}

/** For people: odd bytes as `\xHH`, a backslash doubled, control and bidirectional characters escaped. */
export function displayPath(path: string): string {
  let out = ''
  for (let i = 0; i < path.length; i++) {
    const c = path.charCodeAt(i)
    if (c >= 0xd800 && c < 0xdc00 && i + 1 < path.length) {
      out += path[i]! + path[++i]!
    } else if (c >= 0xdc80 && c <= 0xdcff) {
      out += `\\x${(c - 0xdc00).toString(16)}`
    } else if (c === 0x5c) {
      out += '\\\\'
    } else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
      out += `\\x${c.toString(16).padStart(2, '0')}`
    } else if (
      c === 0x200e ||
      c === 0x200f ||
      (c >= 0x202a && c <= 0x202e) ||
      (c >= 0x2066 && c <= 0x2069) ||
      c === 0x2028 ||
      c === 0x2029 ||
      c === 0xfeff
    ) {
      out += `\\u${c.toString(16)}`
    } else {
      out += path[i]
    }
  }
  return out
}

/** Untrusted text for a terminal or a log: like a path, but a backslash stays as it is. */
export function displayText(text: string): string {
  return displayPath(text).replaceAll('\\\\', '\\')
}

export function joinRel(parent: RelPath, name: string): RelPath {
  return (parent === '' ? name : `${parent}/${name}`) as RelPath
}

/** Absolute path of something below a root. */
export function resolveRel(root: AbsPath, rel: RelPath): AbsPath {
  return (rel === '' ? root : root === '/' ? `/${rel}` : `${root}/${rel}`) as AbsPath
}

export function parentOf(rel: RelPath): RelPath {
  const at = rel.lastIndexOf('/')
  return (at < 0 ? '' : rel.slice(0, at)) as RelPath
}

export function nameOf(rel: RelPath): FileName {
  return rel.slice(rel.lastIndexOf('/') + 1) as FileName
}

/** True when `path` is `ancestor` or lies below it. */
export function isWithin(path: string, ancestor: string): boolean {
  return ancestor === '' || ancestor === '/' || path === ancestor || path.startsWith(`${ancestor}/`)
}

/**
 * The one check for every relative path that comes from outside (wire, database of another device, command line).
 * Judges form only: what a given file system can hold is judged by that file system.
 * @returns the branded path, or the reason it was refused
 */
export function parseRelPath(path: string): { path: RelPath } | { refused: string } {
  if (path === '') return { refused: 'it is empty' }
  if (path.includes('\0')) return { refused: 'it holds a NUL byte' }
  if (path.startsWith('/')) return { refused: 'it is absolute' }
  if (pathBytes(path).length > MAX_PATH_BYTES) return { refused: `it is longer than ${MAX_PATH_BYTES} bytes` }
  for (const name of path.split('/')) {
    if (name === '') return { refused: 'it has an empty component' }
    if (name === '.' || name === '..') return { refused: `it has a "${name}" component` }
    if (name.length > MAX_NAME_BYTES / 4 && pathBytes(name).length > MAX_NAME_BYTES) {
      return { refused: `a name in it is longer than ${MAX_NAME_BYTES} bytes` }
    }
  }
  return { path: path as RelPath }
}

/** Byte order of paths as trees: a directory sorts directly before what it holds. */
export function comparePaths(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; ; i++) {
    if (i === shorter) return a.length - b.length
    const c = a.charCodeAt(i)
    const d = b.charCodeAt(i)
    if (c === d) continue
    // Below the surrogates, UTF-16 sorts as UTF-8 does.
    if (c >= 0xd800 || d >= 0xd800) break
    if (c === 0x2f) return -1
    if (d === 0x2f) return 1
    return c - d
  }
  const x = pathBytes(a)
  const y = pathBytes(b)
  const n = Math.min(x.length, y.length)
  for (let i = 0; i < n; i++) {
    if (x[i] === y[i]) continue
    if (x[i] === 0x2f) return -1
    if (y[i] === 0x2f) return 1
    return x[i]! - y[i]!
  }
  return x.length - y.length
}

function escapeInvalid(bytes: Uint8Array): string {
  let out = ''
  let i = 0
  while (i < bytes.length) {
    const n = sequenceLength(bytes, i)
    if (n === 0) out += String.fromCharCode(0xdc00 + bytes[i++]!)
    else {
      out += strict.decode(bytes.subarray(i, i + n))
      i += n
    }
  }
  return out
}

/** Length of the valid UTF-8 sequence at `i`, 0 when there is none. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i]!
  if (first < 0x80) return 1
  const n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0
  if (n === 0 || i + n > bytes.length) return 0
  try {
    strict.decode(bytes.subarray(i, i + n))
    return n
  } catch {
    return 0
  }
}
