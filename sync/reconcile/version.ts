/**
 * What an entry has seen: replica -> counter (a version vector). Raised when the index sees a change by hand, merged when a
 * sync writes. A replica is one indexed folder: two folders of one device must not count with one counter, or of two edits
 * made side by side the later would pass for one that knew the other (docs/decisions/080).
 */
export type Version = Readonly<Record<string, number>>

/** `newer`: a has seen all that b has, and more. `apart`: neither has seen the other, or one of them remembers nothing. */
export type VersionOrder = 'equal' | 'newer' | 'older' | 'apart'

/** One more change by hand at `replica`. The clock keeps it above what was given out before a database was lost. */
export function raiseVersion(version: Version | undefined, replica: string, nowSeconds: number): Version {
  const last = version !== undefined && Object.hasOwn(version, replica) ? version[replica]! : 0
  return Object.fromEntries([
    ...Object.entries(version ?? {}),
    [replica, Math.max(last + 1, Math.floor(nowSeconds))] as const
  ])
}

/** Has seen what either has seen. */
export function mergeVersions(a: Version | undefined, b: Version | undefined): Version | undefined {
  if (a === undefined || b === undefined) return a ?? b
  if (includes(a, b)) return a
  if (includes(b, a)) return b
  const counters = new Map(Object.entries(a))
  for (const [replica, n] of Object.entries(b)) counters.set(replica, Math.max(n, counters.get(replica) ?? 0))
  return Object.fromEntries(counters)
}

/** Who remembers nothing is never older: an empty version proves nothing, and an edit must not be lost to it. */
export function compareVersions(a: Version | undefined, b: Version | undefined): VersionOrder {
  if (isEmpty(a) || isEmpty(b)) return 'apart'
  const [ab, ba] = [includes(a!, b!), includes(b!, a!)]
  return ab && ba ? 'equal' : ab ? 'newer' : ba ? 'older' : 'apart'
}

export const sameVersion = (a: Version | undefined, b: Version | undefined): boolean =>
  includes(a ?? {}, b ?? {}) && includes(b ?? {}, a ?? {})

/** Replicas whose changes `a` has seen and `b` has not, the latest first. */
export function aheadOf(a: Version | undefined, b: Version | undefined): string[] {
  return Object.entries(a ?? {})
    .filter(([replica, n]) => n > counter(b ?? {}, replica))
    .sort(([x, n], [y, m]) => m - n || (x < y ? -1 : 1))
    .map(([replica]) => replica)
}

const isEmpty = (v: Version | undefined): boolean => {
  for (const replica in v) if (counter(v, replica) > 0) return false
  return true
}

function includes(a: Version, b: Version): boolean {
  for (const replica in b) if (b[replica]! > counter(a, replica)) return false
  return true
}

const counter = (v: Version, replica: string): number => (Object.hasOwn(v, replica) ? v[replica]! : 0)
