import { pathBytes, type RelPath, textFromBytes } from '../../storage/base/index.js'

const SLASH = 0x2f

/**
 * A path as the tables of a sync hold it: its bytes with 0x00 for each slash. No name holds that byte, and it comes before
 * every other: keys in order are a tree in order, a directory directly before all it holds.
 */
export function pathKey(path: RelPath): Uint8Array {
  // Nearly all paths are ASCII, and each is made a key several times a session.
  const key = new Uint8Array(path.length)
  for (let i = 0; i < path.length; i++) {
    const c = path.charCodeAt(i)
    if (c > 0x7f) return keyOfBytes(pathBytes(path))
    key[i] = c === SLASH ? 0 : c
  }
  return key
}

function keyOfBytes(bytes: Uint8Array): Uint8Array {
  const key = new Uint8Array(bytes)
  for (let i = 0; i < key.length; i++) if (key[i] === SLASH) key[i] = 0
  return key
}

/** The keys of paths that are joined by NUL, which no path holds. They share one piece of memory. */
export function pathKeys(paths: string): Uint8Array[] {
  const { buffer, byteOffset, length } = pathBytes(paths)
  const bytes = new Uint8Array(buffer, byteOffset, length)
  const keys: Uint8Array[] = []
  let from = 0
  for (let i = 0; i < length; i++) {
    if (bytes[i] === SLASH) bytes[i] = 0
    else if (bytes[i] === 0) {
      keys.push(bytes.subarray(from, i))
      from = i + 1
    }
  }
  keys.push(bytes.subarray(from))
  return keys
}

export function keyPath(key: Uint8Array): RelPath {
  const bytes = new Uint8Array(key)
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) bytes[i] = SLASH
  return textFromBytes(bytes) as RelPath
}

/** Everything below `key` lies from the first (inclusive) to the second (exclusive). */
export function keysBelow(key: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const from = new Uint8Array(key.length + 1)
  from.set(key)
  const to = new Uint8Array(from)
  to[key.length] = 1
  return [from, to]
}
