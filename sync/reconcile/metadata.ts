import type { ArchiveEntry, End, Present, Trace } from './entry.js'
import type { ReconcileOptions } from './options.js'
import { compareSettings } from './version.js'

/** Permission bits and time of a thing: what travels beside the content and is never a conflict. */
export interface Metadata {
  readonly mtimeNs: bigint
  readonly mode: number
}

export const CARRIED_BITS = 0o777

/** Alike at the coarser step of the two ends. */
export function sameTime(a: bigint, b: bigint, { source, destination }: ReconcileOptions): boolean {
  const step = source.timeStepNs > destination.timeStepNs ? source.timeStepNs : destination.timeStepNs
  const apart = a < b ? b - a : a - b
  return apart < step
}

/**
 * What both ends should show: what was changed by who had seen the other's; else what one of them changed since they agreed; both:
 * the newer time with that side's mode, at equal times the mode with fewer rights; one way: the source's. Undefined when neither
 * end changed anything since they agreed: what an end could not hold then is no change. Of a directory only the mode counts.
 *
 * Where versions tell, "since they agreed" does not: in a ring of devices a setting that was given up long ago comes round and would
 * pass for a change. Of two made side by side all devices choose the same one, in whatever order they meet, and what they wrote has
 * seen both: so every ring comes to rest.
 */
export function agreeMetadata(
  source: Present,
  destination: Present,
  base: ArchiveEntry | undefined,
  options: ReconcileOptions
): Metadata | undefined {
  const bothWays = options.mode === 'bidirectional'
  const order = options.archive && bothWays ? compareSettings(source.version, destination.version) : undefined
  if (order === 'newer') return source
  if (order === 'older') return destination
  const changed = {
    source: base === undefined || differs(source, base.source, options),
    destination: base === undefined || differs(destination, base.destination, options)
  }
  if (!changed.source && !changed.destination) return undefined
  if (!bothWays) return source
  if (order === undefined && !changed.destination) return source
  if (order === undefined && !changed.source) return destination
  // The time of a directory tells when a name in it came or went.
  if (source.kind !== 'directory' && !sameTime(source.mtimeNs, destination.mtimeNs, options))
    return source.mtimeNs > destination.mtimeNs ? source : destination
  // Not the times of both ends but one of them, the same whichever end is called source.
  const mtimeNs = source.mtimeNs > destination.mtimeNs ? source.mtimeNs : destination.mtimeNs
  return { mtimeNs, mode: fewerRights(source.mode, destination.mode) }
}

/** Permission bits of content that comes to `end`. Where the other end knows none, those that stand there stay. */
export function modeAt(content: Present, end: End, there: Present | undefined, options: ReconcileOptions): number {
  const known = options[end === 'source' ? 'destination' : 'source'].modes
  return (known || there?.kind !== 'file' ? content.mode : there.mode) & CARRIED_BITS
}

/** What must be set at `end` so that it shows `wanted`, as far as it can; undefined: nothing. A link's own metadata stays. */
export function attributesToSet(
  wanted: Metadata,
  now: Present,
  end: End,
  options: ReconcileOptions,
  withTime: boolean
): Partial<Metadata> | undefined {
  if (now.kind === 'symlink') return undefined
  const set: { mode?: number; mtimeNs?: bigint } = {}
  const mode = wanted.mode & CARRIED_BITS
  if (
    options[end].modes &&
    options[end === 'source' ? 'destination' : 'source'].modes &&
    mode !== (now.mode & CARRIED_BITS)
  )
    set.mode = mode
  if (withTime && !sameTime(wanted.mtimeNs, now.mtimeNs, options)) set.mtimeNs = wanted.mtimeNs
  return set.mode === undefined && set.mtimeNs === undefined ? undefined : set
}

const differs = (now: Present, then: Trace, options: ReconcileOptions): boolean =>
  now.kind !== 'symlink' &&
  ((now.mode & CARRIED_BITS) !== (then.mode & CARRIED_BITS) ||
    (now.kind !== 'directory' && !sameTime(now.mtimeNs, then.mtimeNs, options)))

function fewerRights(a: number, b: number): number {
  const [x, y] = [a & CARRIED_BITS, b & CARRIED_BITS]
  const bits = (n: number): number => n.toString(2).replaceAll('0', '').length
  return bits(x) - bits(y) < 0 || (bits(x) === bits(y) && x < y) ? x : y
}
