import { readdirSync, readFileSync } from 'node:fs'

/** Most memory a process ever had, in MiB: VmHWM. */
export const maxResidentMiB = (pid: number | 'self' = 'self', status = statusOf(pid)): number => mib('VmHWM', status)

/** What processes have now, the most of them. */
export const heldBy = (pids: readonly number[]): { residentMiB: number; threads: number; openFiles: number } => ({
  residentMiB: Math.max(...pids.map(pid => mib('VmRSS', statusOf(pid)))),
  threads: Math.max(...pids.map(pid => readdirSync(`/proc/${pid}/task`).length)),
  openFiles: Math.max(...pids.map(pid => readdirSync(`/proc/${pid}/fd`).length))
})

const statusOf = (pid: number | 'self'): string => readFileSync(`/proc/${pid}/status`, 'utf8')

function mib(name: string, status: string): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)
  return Math.round(Number(line?.[1] ?? 0) / 1024)
}
