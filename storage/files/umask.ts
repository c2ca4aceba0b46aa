import { readFileSync } from 'node:fs'

let mask: number | undefined

/**
 * What the process takes from the mode of new files. From /proc: asking by `umask()` sets it to 0 for a moment, in which
 * other threads would make files that everybody may write.
 */
export function processUmask(): number {
  mask ??= readUmask()
  return mask
}

function readUmask(): number {
  try {
    const line = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))
    return line === null ? CAUTIOUS : Number.parseInt(line[1]!, 8)
  } catch {
    return CAUTIOUS
  }
}

const CAUTIOUS = 0o022
