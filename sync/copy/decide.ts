/** What becomes of one file or link, from what stands at both ends. Pure: the content is compared by whoever asks, where told. */
export const OVERWRITE_MODES = ['skip', 'replace', 'prompt', 'skip-newer'] as const
export type OverwriteMode = (typeof OVERWRITE_MODES)[number]

export interface Seen {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly mode: number
  /** Of what stands at the destination, where it is known. */
  readonly ctimeNs?: bigint | undefined
  /** Of a symlink. */
  readonly link?: string | undefined
}

export interface DecideRules {
  readonly overwrite: OverwriteMode
  /** Copies get the time of their source; else that of the beginning of the job, `beganNs`. */
  readonly keepTimes: boolean
  readonly beganNs: bigint
  /** What a time set at the destination comes back rounded to. */
  readonly timeStepNs: bigint
  readonly modes: boolean
  /** Size and time are no proof: content is compared although they agree (`--verify`, a move to another volume). */
  readonly strict: boolean
  /** Set once the contents were compared. */
  readonly sameContent?: boolean | undefined
}

export type SkipReason = 'exists' | 'newer'

export type Decision =
  | { readonly do: 'copy' }
  | { readonly do: 'replace' }
  /** The same bytes; `attributes`: mode or time differ and are to follow the source. */
  | { readonly do: 'same'; readonly attributes: boolean }
  | { readonly do: 'skip'; readonly reason: SkipReason }
  /** A person is asked. */
  | { readonly do: 'ask' }
  /** Size or time leave it open: compare the contents, then decide with `sameContent`. */
  | { readonly do: 'compare' }
  | { readonly do: 'refuse'; readonly code: 'KIND_DIFFERS' }

export function decide(source: Seen, target: Seen | undefined, rules: DecideRules): Decision {
  if (target === undefined) return { do: 'copy' }
  if (target.kind === 'directory' || target.kind === 'other') return { do: 'refuse', code: 'KIND_DIFFERS' }
  const same = compare(source, target, rules)
  if (same === 'unknown') return { do: 'compare' }
  if (same === 'same') return { do: 'same', attributes: attributesDiffer(source, target, rules) }
  switch (rules.overwrite) {
    case 'replace':
      return { do: 'replace' }
    case 'skip':
      return { do: 'skip', reason: 'exists' }
    case 'skip-newer':
      return sameTime(source, target, rules) || target.mtimeNs > source.mtimeNs
        ? { do: 'skip', reason: 'newer' }
        : { do: 'replace' }
    case 'prompt':
      return { do: 'ask' }
  }
}

function compare(source: Seen, target: Seen, rules: DecideRules): 'same' | 'differs' | 'unknown' {
  if (source.kind !== target.kind) return 'differs'
  if (source.kind === 'symlink') return source.link === target.link ? 'same' : 'differs'
  if (source.sizeBytes !== target.sizeBytes) return 'differs'
  if (source.sizeBytes === 0) return 'same'
  if (rules.sameContent !== undefined) return rules.sameContent ? 'same' : 'differs'
  if (rules.strict || wasWrittenThen(target)) return 'unknown'
  return sameTime(source, target, rules) ? 'same' : 'unknown'
}

/**
 * A copy is given its time after it was written, so its ctime is later than its mtime. What was written where it stands has both
 * at once: two files that one program wrote in one tick of the clock have one time, and need not have one content.
 */
function wasWrittenThen({ mtimeNs, ctimeNs }: Seen): boolean {
  if (ctimeNs === undefined) return false
  return ctimeNs >= mtimeNs && ctimeNs - mtimeNs < WRITTEN_WITHIN_NS
}

/** Some ticks of the slowest kernel clock (10 ms). */
const WRITTEN_WITHIN_NS = 30_000_000n

/** The time that a copy of the source would have. */
function sameTime(source: Seen, target: Seen, { keepTimes, beganNs, timeStepNs }: DecideRules): boolean {
  const wanted = keepTimes ? source.mtimeNs : beganNs
  const apart = wanted > target.mtimeNs ? wanted - target.mtimeNs : target.mtimeNs - wanted
  return apart < (timeStepNs > 1n ? timeStepNs : 1n)
}

/** Whether mode or time of a folder are to follow those of its source. */
export function folderDiffers(source: Seen, target: Seen, rules: DecideRules): boolean {
  const mode = rules.modes && (source.mode & 0o777) !== (target.mode & 0o777)
  return mode || (rules.keepTimes && !sameTime(source, target, rules))
}

/** In `skip` what exists is left alone, in `prompt` too: nobody is asked about a time. */
function attributesDiffer(source: Seen, target: Seen, rules: DecideRules): boolean {
  if (source.kind !== 'file') return false
  if (rules.overwrite !== 'replace' && rules.overwrite !== 'skip-newer') return false
  return folderDiffers(source, target, rules)
}
