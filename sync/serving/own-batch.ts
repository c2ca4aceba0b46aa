/**
 * What a driver wants placed here, as this end sees it for itself: what stands there now, with the hash of what is in it. What
 * the driver knows of it decides whether a step is done, never under which name the old content is kept, nor what the lines of
 * the versions say of it.
 */
import { type AbortOptions, type ContentHash, type RelPath, SpacedriveError } from '../../storage/base/index.js'
import { asidePath, type EntryStat, type Expected, type PlaceStep } from '../../storage/files/index.js'
import type { Endpoint, KeptBatch, TreeEntry } from '../endpoints/index.js'
import { lookAtAll } from '../session/index.js'
import type { Kept, KeptAttributes, VersionLine } from '../versions/index.js'
import { isStagedPath, type StagedHashes } from './staged-hashes.js'

export interface OwnBatch {
  readonly run: string
  /** It is done as a whole or not at all. */
  readonly group: boolean
  readonly steps: readonly PlaceStep[]
  readonly lines: readonly Omit<VersionLine, 'atMs'>[]
  /** Of each step: the content that gets a name, and the one that loses it. */
  readonly contents: readonly { readonly came: ContentHash | undefined; readonly went: ContentHash | undefined }[]
}

export interface OwnBatchInit {
  readonly endpoint: Pick<Endpoint, 'look' | 'hash'>
  /** Of the staging place in which all of it lies, and where old contents go. */
  readonly staging: string
  readonly staged: StagedHashes
  /** The device whose changes these are, by its name. */
  readonly from: string
  /** A number that no content moved aside in this session has. */
  nextAside(): number
}

/** No stat is so: a step that expects it finds something else and is not done. */
const NEVER_NS = -1n
const NO_HASH = '0'.repeat(64) as ContentHash

/** @throws {SpacedriveError} NOT_GRANTED: a step is none that a sync may take here */
export async function ownBatch(init: OwnBatchInit, batch: KeptBatch, options: AbortOptions): Promise<OwnBatch> {
  const { run, steps, why, was, group } = batch
  for (const step of steps) ensureStaging(init, step)
  const found = await lookAt(init, steps, options)
  const own: PlaceStep[] = []
  const lines: Omit<VersionLine, 'atMs'>[] = []
  const contents: { came: ContentHash | undefined; went: ContentHash | undefined }[] = []
  steps.forEach((step, i) => {
    const at = found.get(step.path)
    const came = step.kind === 'create' || step.kind === 'replace' ? init.staged.of(step.from.path) : undefined
    own.push(ownStep(init, step, at))
    contents.push({ came, went: step.kind === 'remove' || step.kind === 'replace' ? at?.hash : undefined })
    const then = stoodThere(step, at, was[i] ?? null)
    if (then === undefined) return
    const line = { run, path: step.path, was: then, why: why[i] ?? '', from: init.from }
    lines.push({
      ...line,
      ...(step.kind === 'move' && { to: step.to }),
      ...(group !== undefined && { group })
    })
  })
  return { run, group: group !== undefined, steps: own, lines, contents }
}

interface Found {
  readonly entry: TreeEntry
  /** Of a file: what was read of it just now, with the stat that belongs to it. */
  readonly hash?: ContentHash | undefined
}

/** What stands at the paths whose content a batch takes away; a file that cannot be read is left out, and stays. */
async function lookAt(
  { endpoint }: OwnBatchInit,
  steps: readonly PlaceStep[],
  options: AbortOptions
): Promise<ReadonlyMap<RelPath, Found>> {
  const paths = [...new Set(steps.filter(takesAway).map(step => step.path))]
  const found = new Map<RelPath, Found>()
  const files: RelPath[] = []
  for (const { path, entry } of await lookAtAll(endpoint, paths, options)) {
    if (entry === undefined || entry.unknown !== undefined) continue
    if (entry.stat.kind === 'file') files.push(path)
    else found.set(path, { entry })
  }
  for await (const file of endpoint.hash(files, options))
    if (file.problem === undefined)
      found.set(file.path, { entry: { path: file.path, stat: file.stat }, hash: file.hash })
  return found
}

const takesAway = ({ kind }: PlaceStep): boolean =>
  kind === 'replace' || kind === 'remove' || kind === 'remove-directory'

function ownStep({ staging, nextAside }: OwnBatchInit, step: PlaceStep, found: Found | undefined): PlaceStep {
  if (step.kind !== 'replace' && step.kind !== 'remove') return step
  const { expected } = step
  const aside = { staging, path: asidePath(found?.hash ?? NO_HASH, nextAside()) }
  const seen = found !== undefined && fits(expected, found.entry.stat)
  return { ...step, aside, expected: seen ? expectedAs(found.entry.stat) : { ...expected, mtimeNs: NEVER_NS } }
}

/** What stands there is not what the driver speaks of: the step will not be done. */
export const isRefused = (step: PlaceStep): boolean => 'expected' in step && step.expected.mtimeNs === NEVER_NS

/** The driver speaks of what stands there: as far as it knows, it is that. */
function fits(expected: Expected, stat: EntryStat): boolean {
  if (expected.kind !== stat.kind) return false
  const known = ['sizeBytes', 'mtimeNs', 'ctimeNs', 'inode', 'birthNs'] as const
  return known.every(key => expected[key] === undefined || expected[key] === stat[key])
}

const expectedAs = ({ kind, sizeBytes, mtimeNs, ctimeNs, inode, birthNs }: EntryStat): Expected => ({
  ...{ kind, sizeBytes, mtimeNs, ctimeNs, inode, birthNs }
})

/** undefined: nothing is to be written down. */
function stoodThere(
  { kind }: PlaceStep,
  found: Found | undefined,
  was: { readonly mode: number; readonly mtimeNs: bigint } | null
): Kept | KeptAttributes | null | undefined {
  if (kind === 'create' || kind === 'make-directory' || kind === 'move') return null
  if (kind === 'attributes') return was === null ? undefined : { kind: 'attributes', ...was }
  return found && keptOf(found)
}

function keptOf({ entry: { stat, target }, hash }: Found): Kept | undefined {
  const { mtimeNs, sizeBytes } = stat
  const mode = stat.mode & 0o7777
  if (stat.kind === 'directory') return { kind: 'directory', mtimeNs, mode }
  if (stat.kind === 'symlink') return { kind: 'symlink', target: target ?? '', mtimeNs }
  return hash && { kind: 'file', hash, sizeBytes, mtimeNs, mode }
}

/** Content comes from where the driver may stage it, and nothing but files and links is ever replaced or removed as one. */
function ensureStaging({ staging }: OwnBatchInit, step: PlaceStep): void {
  if ('from' in step && (step.from.staging !== staging || !isStagedPath(step.from.path)))
    throw new SpacedriveError('NOT_GRANTED', 'that does not lie in the staging place of the sync')
  const leaf = step.kind !== 'replace' && step.kind !== 'remove' ? undefined : step.expected.kind
  if (leaf !== undefined && leaf !== 'file' && leaf !== 'symlink')
    throw new SpacedriveError('NOT_GRANTED', 'only a file or a link can be replaced or removed')
}
