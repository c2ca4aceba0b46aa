import { readFileSync } from 'node:fs'

/** Most memory a process ever had, in MiB: VmHWM. */
export function maxResidentMiB(
  pid: number | 'self' = 'self',
  status = readFileSync(`/proc/${pid}/status`, 'utf8')
): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(status)
  return Math.round(Number(line?.[1] ?? 0) / 1024)
}
