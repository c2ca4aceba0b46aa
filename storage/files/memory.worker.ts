/** Memory that was freed goes back to the system: the C library keeps it, some 80 MB in a daemon that has synced. Another home of koffi. */
import { createRequire } from 'node:module'
import { defineTasks, shrinkHeap } from '../base/index.js'

let trim: ((pad: number) => number) | undefined | null = null

export const memory = defineTasks(import.meta.url, {
  /** Blocks whoever asks for memory meanwhile, for some milliseconds. @returns false where the system has no such call */
  release(): boolean {
    shrinkHeap()
    if (trim === null) trim = findTrim()
    trim?.(0)
    return trim !== undefined
  }
})

/** Of the GNU C library; others give back what is free by themselves. */
function findTrim(): ((pad: number) => number) | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    return koffi.load(null).func('int malloc_trim(size_t)') as unknown as (pad: number) => number
  } catch {
    return undefined
  }
}
