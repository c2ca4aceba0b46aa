/**
 * One line of the history of an end: what a path was until a run of a sync changed it there. Undoing the lines from the
 * newest on leads back to any moment, with nothing but the folder itself and its `.spacedrive/versions/`.
 */
import { type ContentHash, isContentHash, parseRelPath, type RelPath } from '../../storage/base/index.js'

/** What stood at a path. */
export type Kept =
  | {
      readonly kind: 'file'
      readonly hash: ContentHash
      readonly sizeBytes: number
      readonly mtimeNs: bigint
      /** Permission bits. */
      readonly mode: number
    }
  | { readonly kind: 'symlink'; readonly target: string; readonly mtimeNs: bigint }
  | { readonly kind: 'directory'; readonly mtimeNs: bigint; readonly mode: number }

/** Of what stayed as it was but for these. */
export interface KeptAttributes {
  readonly kind: 'attributes'
  readonly mtimeNs: bigint
  readonly mode: number
}

export interface VersionLine {
  /** Wall clock in milliseconds; never less than that of the line before. */
  readonly atMs: number
  /** The run that did it; all lines of a run are one snapshot. */
  readonly run: string
  readonly path: RelPath
  /** What stood there until then; null: nothing. Of what was moved it says nothing: the path `to` tells. */
  readonly was: Kept | KeptAttributes | null
  /** Set when the path, with all below it, was given this name. */
  readonly to?: RelPath
  /**
   * The same number in neighbouring lines of a run: they happened all at once (names that were swapped, folders moved within one
   * another). `path` is then from before all of them, `to` and the path of what was made from after all of them.
   */
  readonly group?: number
  /** In a few words, for a person. */
  readonly why: string
  /** The device whose change it was, where known. */
  readonly from?: string
}

/** A line with its end. Odd bytes in paths are lone surrogates, which JSON escapes and gives back exactly. */
export function formatLine({ atMs, run, path, was, to, group, why, from }: VersionLine): string {
  return `${JSON.stringify({
    v: 1,
    at: atMs,
    run,
    path,
    was: was && { ...was, mtimeNs: String(was.mtimeNs) },
    ...(to !== undefined && { to }),
    ...(group !== undefined && { group }),
    why,
    ...(from !== undefined && { from })
  })}\n`
}

/** Undefined for what is no line of ours: cut off by a crash, damaged, or of a later version. */
export function parseLine(text: string): VersionLine | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(value) || value.v !== 1) return undefined
  const { at, run, why, from, group } = value
  const path = relPath(value.path)
  const was = value.was === null ? null : kept(value.was)
  const to = value.to === undefined ? undefined : relPath(value.to)
  if (typeof at !== 'number' || !Number.isSafeInteger(at) || typeof run !== 'string' || typeof why !== 'string')
    return undefined
  if (path === undefined || was === undefined || (value.to !== undefined && to === undefined)) return undefined
  return {
    ...{ atMs: at, run, path, was, why },
    ...(to !== undefined && { to }),
    ...(Number.isSafeInteger(group) && { group: group as number }),
    ...(typeof from === 'string' && { from })
  }
}

function kept(value: unknown): Kept | KeptAttributes | undefined {
  if (!isRecord(value) || typeof value.mtimeNs !== 'string' || !/^-?\d{1,20}$/.test(value.mtimeNs)) return undefined
  const mtimeNs = BigInt(value.mtimeNs)
  const { kind, hash, sizeBytes, mode, target } = value
  const goodMode = typeof mode === 'number' && Number.isInteger(mode) && mode >= 0 && mode <= 0o7777
  if (kind === 'symlink') return typeof target === 'string' ? { kind, target, mtimeNs } : undefined
  if (!goodMode) return undefined
  if (kind === 'directory' || kind === 'attributes') return { kind, mtimeNs, mode }
  if (kind !== 'file' || !isContentHash(hash) || !Number.isSafeInteger(sizeBytes)) return undefined
  return { kind, hash, sizeBytes: sizeBytes as number, mtimeNs, mode }
}

/** Nobody but this program writes the lists, but a path out of a damaged one must not lead out of the folder. */
function relPath(value: unknown): RelPath | undefined {
  if (typeof value !== 'string') return undefined
  const parsed = parseRelPath(value)
  return 'path' in parsed ? parsed.path : undefined
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
