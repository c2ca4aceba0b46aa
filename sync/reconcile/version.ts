/**
 * What an entry has seen: replica -> counter (a version vector). Raised when the index sees a change by hand, merged when a
 * sync writes. A replica is one indexed folder: two folders of one device must not count with one counter, or of two edits
 * made side by side the later would pass for one that knew the other (docs/decisions/080).
 */
export type Version = Readonly<Record<string, number>>

/**
 * Permission bits and times are counted too, by the same vector, under a name that says so: they decide about themselves alone, and
 * never about content. Without it two settings of one file might follow one another round a ring of devices for ever.
 */
const SETTINGS = '~'
const isSettings = (name: string): boolean => name.endsWith(SETTINGS)

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

/** One more change by hand of permission bits or times alone. */
export const raiseSettings = (version: Version | undefined, replica: string, nowSeconds: number): Version =>
  raiseVersion(version, replica + SETTINGS, nowSeconds)

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
  return orderOf(includes(a!, b!, isContent), includes(b!, a!, isContent))
}

/** Likewise of the permission bits and time of one content. Undefined: one of them remembers nothing at all. */
export function compareSettings(a: Version | undefined, b: Version | undefined): VersionOrder | undefined {
  if (isEmpty(a) || isEmpty(b)) return undefined
  return orderOf(includes(a!, b!, isSettings), includes(b!, a!, isSettings))
}

const orderOf = (ab: boolean, ba: boolean): VersionOrder => (ab && ba ? 'equal' : ab ? 'newer' : ba ? 'older' : 'apart')
const isContent = (name: string): boolean => !isSettings(name)

export const sameVersion = (a: Version | undefined, b: Version | undefined): boolean =>
  includes(a ?? {}, b ?? {}) && includes(b ?? {}, a ?? {})

/** Replicas whose changes `a` has seen and `b` has not, the latest first. */
export function aheadOf(a: Version | undefined, b: Version | undefined): string[] {
  return Object.entries(a ?? {})
    .filter(([replica, n]) => isContent(replica) && n > counter(b ?? {}, replica))
    .sort(([x, n], [y, m]) => m - n || (x < y ? -1 : 1))
    .map(([replica]) => replica)
}

/** Something is remembered of it. */
export const isTold = (v: Version | undefined): boolean => !isEmpty(v)

const isEmpty = (v: Version | undefined): boolean => {
  for (const name in v) if (isContent(name) && counter(v, name) > 0) return false
  return true
}

function includes(a: Version, b: Version, which?: (name: string) => boolean): boolean {
  for (const name in b) if (b[name]! > counter(a, name) && which?.(name) !== false) return false
  return true
}

const counter = (v: Version, replica: string): number => (Object.hasOwn(v, replica) ? v[replica]! : 0)
