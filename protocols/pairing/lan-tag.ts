import type { CodeKeys } from './derive.js'

/** The service name of a code on the local network: 16 hex digits. Lives as long as the code and says nothing to others. */
export function lanServiceName(keys: CodeKeys): string {
  return Buffer.from(keys.lanTag).toString('hex')
}

export function isLanServiceName(name: string): boolean {
  return /^[0-9a-f]{16}$/.test(name)
}
