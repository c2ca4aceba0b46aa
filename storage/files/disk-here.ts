import type { Disk } from './disk.js'
import { nodeDisk } from './node-disk.js'

let opened: Disk | undefined

/** The real disk, opened once a thread. */
export const diskHere = (): Disk => {
  opened ??= nodeDisk()
  return opened
}
