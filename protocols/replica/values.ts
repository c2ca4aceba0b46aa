/**
 * What goes over the wire as values, and the schemas that each end checks it against before it looks at it. Text travels as
 * MessagePack `str`, or as `bin` where it is not UTF-8 (`toWire`), so names arrive exactly as they are on the disk.
 */
import { z } from 'zod'
import {
  type ContentHash,
  isPlainUtf8,
  isUuid,
  MAX_PATH_BYTES,
  parseRelPath,
  pathBytes,
  type RelPath,
  ROOT,
  textFromBytes
} from '../../storage/base/index.js'
import {
  type Capabilities,
  type EntryStat,
  type Expected,
  MAX_PLACED_STEPS,
  MAX_TRASH_BATCH,
  type PlaceResult,
  type PlaceStep,
  type Space
} from '../../storage/files/index.js'
import type { RecordedFile } from '../../sync/analysis/index.js'
import {
  type EndpointAbout,
  type FollowedMove,
  type HashedFile,
  type KeptWanted,
  type LearnedVersion,
  type Looked,
  MAX_LOOKS,
  type PackedFile,
  type SeenThing,
  type StagedEntry,
  type StepNote,
  type TrashedItem,
  type TrashOutcome,
  type TreeEntry,
  type VerifiedFile
} from '../../sync/endpoints/index.js'
import { safeCount } from '../wire/index.js'
import { MAX_BLOCKS_A_PART, MAX_ERROR_TEXT, MAX_REPLICA_FRAME_BYTES, MAX_VECTOR_NAMES } from './limits.js'

/** Replaces every text that is not UTF-8 by its bytes, at any depth. Bytes go beside the values, never within them. */
export function toWire(value: unknown): unknown {
  return isPlain(value) ? value : replaced(value) // hardly any has such text, and a copy of a thousand stats costs
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'string') return isPlainUtf8(value)
  if (typeof value !== 'object' || value === null) return true
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key])) return false
  return true
}

function replaced(value: unknown): unknown {
  if (typeof value === 'string') return isPlainUtf8(value) ? value : pathBytes(value)
  if (Array.isArray(value)) return value.map(replaced)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, replaced(v)]))
}

/** A schema whose values are exactly `T`: what is optional is left out, never undefined (`encode` leaves it out). */
const of = <T>(schema: z.ZodType): z.ZodType<T, T> => schema as never

export const text = (maxBytes: number): z.ZodType<string, string> =>
  z
    .union([z.string(), z.custom<Uint8Array>(v => v instanceof Uint8Array)])
    .transform(v => (typeof v === 'string' ? v : textFromBytes(v)))
    .refine(v => v.length <= maxBytes, { message: `expected text of at most ${maxBytes} bytes` }) as never

const isRelPath = (path: string): boolean => !('refused' in parseRelPath(path))
/** A path below the root; '' is the root itself. */
export const relOrRoot = of<RelPath>(
  text(MAX_PATH_BYTES).refine(p => p === ROOT || isRelPath(p), {
    message: 'expected a path below the folder'
  })
)
export const rel = of<RelPath>(
  text(MAX_PATH_BYTES).refine(isRelPath, {
    message: 'expected a path below the folder'
  })
)

export const uuid = z.custom<string>(v => typeof v === 'string' && isUuid(v), { message: 'expected a UUID' })
/** BLAKE3 in hexadecimal. */
export const hash = of<ContentHash>(z.string().regex(/^[0-9a-f]{64}$/))
const uint64 = z
  .bigint()
  .min(0n)
  .max(2n ** 64n - 1n)
export const int64 = z
  .bigint()
  .min(-(2n ** 63n))
  .max(2n ** 63n - 1n)
const mode = z.number().int().min(0).max(0o7777)
const uint32 = z.number().int().min(0).max(0xffffffff)
const kind = z.enum(['file', 'directory', 'symlink', 'other'])

export const stat = of<EntryStat>(
  z.object({
    ...{ kind, sizeBytes: safeCount, mtimeNs: int64, ctimeNs: int64, birthNs: int64 },
    ...{ device: uint64, inode: uint64, mount: uint64, mode, links: uint32, uid: uint32 },
    ...{ gid: uint32.optional(), allocatedBytes: safeCount.optional() }
  })
)
export const expected = of<Expected>(
  z.object({
    ...{ kind, sizeBytes: safeCount.optional(), mtimeNs: int64.optional(), ctimeNs: int64.optional() },
    ...{ inode: uint64.optional(), birthNs: int64.optional() }
  })
)
export const problem = z.object({
  path: text(4 * MAX_PATH_BYTES),
  code: z.string().max(64),
  message: text(MAX_ERROR_TEXT * 4)
})
export const followedMove = of<FollowedMove>(z.object({ path: rel, to: rel, inode: uint64, birthNs: int64 }))
export const unknownReason = z.enum(['special', 'unreadable', 'other-file-system', 'ours', 'file-system', 'ignored'])
export const entry = of<TreeEntry>(
  z.object({
    ...{ path: relOrRoot, stat, target: text(MAX_PATH_BYTES).optional() },
    ...{ unknown: unknownReason.optional(), problem: problem.optional() }
  })
)
export const looked = of<Looked>(z.object({ path: relOrRoot, entry: entry.optional(), problem: problem.optional() }))
export const relPaths = z.array(rel).max(MAX_LOOKS)
export const paths = z.array(relOrRoot).max(MAX_LOOKS)

const stagedSource = z.object({ staging: uuid, path: rel })
export const step = of<PlaceStep>(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('create'), path: rel, from: stagedSource }),
    z.object({ kind: z.literal('replace'), path: rel, from: stagedSource, expected, aside: stagedSource }),
    z.object({ kind: z.literal('remove'), path: rel, expected, aside: stagedSource }),
    z.object({ kind: z.literal('move'), path: rel, to: rel, expected }),
    z.object({ kind: z.literal('make-directory'), path: rel, mode: mode.optional(), mtimeNs: int64.optional() }),
    z.object({ kind: z.literal('remove-directory'), path: rel }),
    z.object({
      ...{ kind: z.literal('attributes'), path: rel, expected },
      ...{ mode: mode.optional(), mtimeNs: int64.optional() }
    })
  ])
)
const index = safeCount
/** As columns: see `placing.ts`. */
export const steps = z.object({
  ...{ count: safeCount.max(MAX_PLACED_STEPS), staging: uuid.optional() },
  ...{ paths: text(MAX_REPLICA_FRAME_BYTES), staged: text(MAX_REPLICA_FRAME_BYTES) },
  others: z.array(z.object({ index, step })).max(MAX_PLACED_STEPS)
})
export type WireSteps = z.output<typeof steps>
export const placed = of<PlaceResult>(
  z.discriminatedUnion('done', [
    z.object({ done: z.literal(true), path: rel, stat: stat.optional(), aside: stat.optional() }),
    z.object({ done: z.literal(false), path: rel, problem, keptAt: z.union([stagedSource, rel]).optional() })
  ])
)
/** The stats of those that are not among `others` are beside them. */
export const results = z.object({
  count: safeCount.max(MAX_PLACED_STEPS),
  others: z.array(z.object({ index, result: placed })).max(MAX_PLACED_STEPS)
})
export const trashed = of<TrashedItem>(z.object({ path: rel, expected, from: stagedSource.optional() }))
export const trashItems = z.array(trashed).max(MAX_TRASH_BATCH)
export const trashOutcome = of<TrashOutcome>(
  z.discriminatedUnion('done', [
    z.object({ done: z.literal(true), path: rel, files: safeCount, bytes: safeCount }),
    z.object({ done: z.literal(false), path: rel, problem })
  ])
)
/** What is staged and no file. */
const stagedOther = of<Exclude<StagedEntry, { kind: 'file' }>>(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('directory'), path: rel }),
    z.object({ kind: z.literal('symlink'), path: rel, target: text(MAX_PATH_BYTES), mtimeNs: int64.optional() })
  ])
)
/** Content and numbers of files are beside it: see `staging.ts`. */
export const staged = z.object({
  ...{ count: safeCount.max(MAX_LOOKS), paths: text(MAX_REPLICA_FRAME_BYTES) },
  others: z.array(z.object({ index, entry: stagedOther })).max(MAX_LOOKS)
})
export const finishing = of<{ hash?: ContentHash; mode?: number; mtimeNs?: bigint }>(
  z.object({ hash: hash.optional(), mode: mode.optional(), mtimeNs: int64.optional() })
)
export const verified = of<VerifiedFile>(z.object({ path: rel, sizeBytes: safeCount, hash }))
export const capabilities = of<Capabilities>(
  z.object({
    ...{ fileSystem: z.string().max(64), exchange: z.boolean(), noReplace: z.boolean(), hardLinks: z.boolean() },
    ...{ symlinks: z.boolean(), modes: z.boolean(), foldsCase: z.boolean(), foldsUnicode: z.boolean() },
    ...{ anyBytes: z.boolean(), timeStepNs: uint64, keepsIdentity: z.boolean(), renameKeepsCtime: z.boolean() },
    syncWhole: z.boolean()
  })
)
export interface HelloAnswer extends Omit<EndpointAbout, 'device'> {
  /** Opened for a sync that writes there, it answers what is asked of its versions. Who knows nothing of that leaves it out. */
  readonly kept?: true | undefined
  /** Likewise: it takes `syncAlive`. */
  readonly alive?: true | undefined
}
export const helloAnswer = of<HelloAnswer>(
  z.object({
    ...{ root: stat, fileSystem: z.string().max(64), network: z.boolean(), timeStepNs: uint64 },
    ...{ kept: z.literal(true).optional(), alive: z.literal(true).optional() }
  })
)
export const space = of<Space>(z.object({ freeBytes: safeCount, totalBytes: safeCount, reserveBytes: safeCount }))
export const packedFile = of<PackedFile>(
  z.union([
    z.object({ path: relOrRoot, problem }),
    z.object({ path: rel, offset: safeCount, length: safeCount, hash, stat })
  ])
)
export const hashedFile = of<HashedFile>(
  z.union([z.object({ path: relOrRoot, problem }), z.object({ path: rel, hash, stat, racy: z.boolean() })])
)
export const range = z.object({ fromBytes: safeCount, lengthBytes: safeCount })
export const ranges = z.array(range).max(65_536)
/** Of what is read of a file. */
export const piece = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('opened'), stat, hashed: z.literal(true).optional() }),
  z.object({ kind: z.literal('data'), atBytes: safeCount }),
  z.object({ kind: z.literal('hole'), atBytes: safeCount, lengthBytes: safeCount }),
  z.object({ kind: z.literal('done'), stat, hash: hash.optional() })
])
/** Of `blocks`: the lengths (u32, little-endian) and hashes lie beside it. */
export const blockPiece = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('blocks'), count: z.number().int().min(1).max(MAX_BLOCKS_A_PART) }),
  z.object({ kind: z.literal('done'), stat, hash: hash.optional() })
])
export const recordedFile = of<RecordedFile>(
  z.object({
    ...{ hash, sizeBytes: safeCount, mtimeNs: int64, ctimeNs: int64, inode: uint64, vouches: z.boolean() }
  })
)

export const keptWanted = of<KeptWanted>(z.object({ hash, sizeBytes: safeCount, mode, mtimeNs: int64, staged: rel }))

/** Names under which changes are counted: of a device, and a random rest; `~` counts permission bits and times. */
export const replicaName = z.string().regex(/^[\p{L}\p{N}_-]{0,20}\.[0-9a-f]{16}$/u)
const counted = z.string().regex(/^[\p{L}\p{N}_-]{0,20}\.[0-9a-f]{16}~?$/u)
export const version = z
  .record(counted, safeCount)
  .refine(v => Object.keys(v).length <= MAX_VECTOR_NAMES, { message: `expected at most ${MAX_VECTOR_NAMES} counters` })
export const seenThing = of<SeenThing>(
  z.object({
    ...{ path: rel, kind: z.enum(['file', 'directory', 'symlink', 'gone']), content: text(MAX_PATH_BYTES) },
    ...{ mode, mtimeNs: int64, inode: uint64, birthNs: int64, agreed: z.boolean() }
  })
)
export const stepNote = of<StepNote>(
  z.object({ content: text(MAX_PATH_BYTES).optional(), link: z.boolean().optional(), version: version.optional() })
)
export const learned = of<LearnedVersion>(z.object({ path: rel, version }))
