import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { median, timed } from './bench.js'

/** Everything of the disk's file system is on the disk: what a baseline and each measurement begin with. */
export function settle(dir: string): void {
  execFileSync('sync', ['-f', dir])
}

/**
 * The same work by `cp -a` and `sync -f`: copies `source` into `dir` again and again.
 * @returns the median of `rounds` in milliseconds, beginning each with a settled disk
 */
export async function copyBaselineMs(source: string, dir: string, rounds = 5): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const target = join(dir, `baseline-${i}`)
    settle(dir)
    times.push(
      await timed(() => {
        execFileSync('cp', ['-a', source, target])
        settle(dir)
      })
    )
    rmSync(target, { recursive: true })
  }
  return median(times)
}
