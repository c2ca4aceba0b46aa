import { execFileSync } from 'node:child_process'
import { dirname } from 'node:path'
import { timed } from './bench.js'

/** Everything of the disk's file system is on the disk: what a baseline and each measurement begin with. */
export function settle(dir: string): void {
  execFileSync('sync', ['-f', dir])
}

/** The same work by `cp -a` and `sync -f`, in milliseconds, beginning with a settled disk. The copy stays: see `Bench`. */
export function copyBaselineMs(source: string, target: string): Promise<number> {
  settle(dirname(target))
  return timed(() => {
    execFileSync('cp', ['-a', source, target])
    settle(dirname(target))
  })
}
