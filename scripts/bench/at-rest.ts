/** How soon a change is at the other end, and what daemons take meanwhile. */
import { spawnSync } from 'node:child_process'
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { timed } from './bench.js'

/** Asked this often whether it is there: it can be no less exact. */
const ASK_MS = 1
const LATEST_MS = 60_000
/** At rest: so many samples in a row in which less than this share of a core was used. */
const [RESTED_SAMPLES, SAMPLE_MS, RESTED_SHARE] = [4, 250, 0.06]
/** Of the times in /proc: USER_HZ, the same on every Linux that Node runs on. */
const TICK_MS = 10

/** Makes a change and asks until it is there. @returns how long that took, in milliseconds */
export async function until(change: () => void, there: () => boolean): Promise<number> {
  return timed(async () => {
    const began = performance.now()
    change()
    while (!there()) {
      if (performance.now() - began > LATEST_MS) throw new Error('a change did not arrive')
      await sleep(ASK_MS)
    }
  })
}

/** Until hardly anything was done for a while: sessions that find nothing to do tell nobody. @param cpuMs - used so far */
export async function rested(cpuMs: () => number): Promise<void> {
  for (let quiet = 0; quiet < RESTED_SAMPLES; ) {
    const before = cpuMs()
    await sleep(SAMPLE_MS)
    quiet = cpuMs() - before < SAMPLE_MS * RESTED_SHARE ? quiet + 1 : 0
  }
}

export function readIf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

export function writeDurably(path: string, text: string): void {
  const fd = openSync(path, 'w')
  try {
    writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** What processes used of the processor so far, all threads of them, in milliseconds (Linux). */
export function cpuMsOf(pids: readonly number[]): number {
  const ticks = pids.map(pid => {
    // The name in brackets may hold anything: the fields are counted from behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')
    return Number(fields[11]) + Number(fields[12])
  })
  return ticks.reduce((sum, t) => sum + t, 0) * TICK_MS
}

/** Bytes that went over the connections of a port, both ways, or undefined where `ss` cannot tell. */
export function wireBytesOf(port: string): number | undefined {
  const asked = ['-tinH', 'state', 'established', `( sport = :${port} )`]
  const { status, stdout } = spawnSync('ss', asked, { encoding: 'utf8' })
  if (status !== 0) return undefined
  const counts = [...stdout.matchAll(/bytes_(?:sent|received):(\d+)/g)]
  return counts.reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}
