import { type Disk, nodeDisk } from '../storage/files/index.js'

/** What happens ahead of a call; what it throws is what the call does. */
export type Meddle = (name: keyof Disk, args: readonly unknown[]) => void

/** The real disk, with something that happens ahead of each call. */
export function meddling(before: Meddle): Disk {
  return new Proxy(nodeDisk(), {
    get(disk, name: keyof Disk) {
      const value = disk[name]
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        before(name, args)
        return (value as (...a: unknown[]) => unknown)(...args)
      }
    }
  })
}
