import { readFileSync, readlinkSync } from 'node:fs'
import { textFromBytes } from '../../storage/base/index.js'

/**
 * What was typed, exact to the byte: Node puts U+FFFD for what is not UTF-8, so a file with such a name could not be named.
 * Linux keeps the bytes; elsewhere Node's own reading stands.
 */
export function exactArgv(argv: readonly string[] = process.argv.slice(2)): string[] {
  if (!argv.some(a => a.includes('\ufffd'))) return [...argv]
  try {
    const parts = splitZeros(readFileSync('/proc/self/cmdline'))
    return parts.slice(parts.length - argv.length).map(textFromBytes)
  } catch {
    return [...argv]
  }
}

/** The working directory, likewise. */
export function exactCwd(): string {
  const cwd = process.cwd()
  if (!cwd.includes('\ufffd')) return cwd
  try {
    return textFromBytes(readlinkSync('/proc/self/cwd', { encoding: 'buffer' }))
  } catch {
    return cwd
  }
}

function splitZeros(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  let from = 0
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, from)) {
    parts.push(bytes.subarray(from, at))
    from = at + 1
  }
  return parts
}
