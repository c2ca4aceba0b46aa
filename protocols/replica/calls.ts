/**
 * What may be asked of a replica: the methods of `Endpoint` and its stages, each with the shapes of question and answer that
 * both ends check, and whether it only looks. docs/protocols/replica.md is the list for people.
 */
import { z } from 'zod'
import { MAX_PATH_BYTES } from '../../storage/base/index.js'
import { isBlockAverage } from '../../storage/content/index.js'
import { MAX_LOOKS, PAGE_ENTRIES } from '../../sync/endpoints/index.js'
import { safeCount } from '../wire/index.js'
import { MAX_BLOCKS_A_PART, MAX_FOUND, MAX_HASHES_A_PART } from './limits.js'
import { SYNC_CALLS, SYNC_STREAMS } from './sync-calls.js'
import * as v from './values.js'

/** What is said of a call besides its shapes. */
export interface CallTraits {
  /** Whether it only looks. */
  readonly access: 'read' | 'write'
  /** What it is to the turn at a folder: its answer may tell that something was placed, or it is the word that the driver gets on. */
  readonly turn?: 'placed' | 'word'
  /** It is begun in the order of the calls, also where a limit of the rate holds some of them up. */
  readonly ordered?: true
  /** It waits for something to happen, for days perhaps: nobody says that he is still at it. */
  readonly waits?: true
}

const nothing = z.object({})
const handle = safeCount
const count = z.number().int().min(0)

/** Entries of a page, their stats as columns beside them: see `page.ts`. */
const page = z.object({
  paths: v.text(PAGE_ENTRIES * (MAX_PATH_BYTES + 1)),
  count: count.max(PAGE_ENTRIES),
  extras: z
    .array(
      z.object({
        index: count,
        target: v.text(MAX_PATH_BYTES).optional(),
        unknown: v.unknownReason.optional(),
        problem: v.problem.optional()
      })
    )
    .max(PAGE_ENTRIES)
})

export const hello = z.object({
  /** The folder, absolute. */
  path: v.text(MAX_PATH_BYTES),
  access: z.enum(['read', 'write']),
  /** The sync for which it is opened; left out: for whatever a person granted. */
  sync: v.uuid.optional()
})

/** Answered once. */
export const CALLS = {
  hello: { input: hello, output: v.helloAnswer, access: 'read' },
  look: { input: z.object({ paths: v.paths }), output: z.array(v.looked).max(MAX_LOOKS), access: 'read' },
  readPack: {
    input: z.object({ paths: v.relPaths }),
    output: z.array(v.packedFile).max(MAX_LOOKS),
    access: 'read'
  },
  hashStart: {
    input: z.object({ path: v.rel, lengthBytes: safeCount }),
    output: z.object({ hash: v.hash, stat: v.stat }),
    access: 'read'
  },
  space: { input: nothing, output: v.space, access: 'read' },
  capabilities: { input: nothing, output: v.capabilities, access: 'write' },
  ensureSpace: { input: z.object({ bytes: safeCount }), output: nothing, access: 'write' },
  place: { input: z.object({ steps: v.steps }), output: v.results, access: 'write' },
  placeGroup: { input: z.object({ steps: v.steps }), output: v.results, access: 'write' },
  trash: {
    input: z.object({ items: v.trashItems, command: z.string().max(64), job: z.string().max(64).optional() }),
    output: z.array(v.trashOutcome),
    access: 'write'
  },
  openStage: { input: z.object({ id: v.uuid }), output: z.object({ stage: handle }), access: 'write' },
  stageWrite: {
    input: v.staged.extend({ stage: handle }),
    output: z.object({ problems: z.array(v.problem.extend({ index: count })).max(MAX_LOOKS) }),
    access: 'write',
    ordered: true
  },
  stageVerify: {
    input: z.object({ stage: handle, files: z.array(v.verified).max(MAX_LOOKS) }),
    output: z.array(z.enum(['whole', 'different', 'missing'])).max(MAX_LOOKS),
    access: 'write'
  },
  stageDiscard: { input: z.object({ stage: handle }), output: nothing, access: 'write' },
  stageClose: { input: z.object({ stage: handle }), output: nothing, access: 'write' },
  openFile: {
    input: z.object({ stage: handle, path: v.rel, sizeBytes: safeCount }),
    output: z.object({ writer: handle, positionBytes: safeCount }),
    access: 'write'
  },
  append: {
    input: z.object({ writer: handle }),
    output: z.object({ positionBytes: safeCount }),
    access: 'write',
    ordered: true
  },
  appendHole: {
    input: z.object({ writer: handle, lengthBytes: safeCount }),
    output: z.object({ positionBytes: safeCount }),
    access: 'write',
    ordered: true
  },
  appendStretch: {
    input: z.object({ writer: handle, stretch: v.range.extend({ path: v.rel }) }),
    output: z.object({ positionBytes: safeCount }),
    access: 'write',
    ordered: true
  },
  /** Beside it: the lengths (u32, little-endian), then the hashes. */
  appendBlocks: {
    input: z.object({
      ...{ writer: handle, path: v.rel, fromBytes: safeCount, atBytes: safeCount },
      count: count.min(1).max(MAX_BLOCKS_A_PART)
    }),
    output: z.object({ positionBytes: safeCount, count }),
    access: 'write',
    ordered: true
  },
  prefixHash: { input: z.object({ writer: handle }), output: z.object({ hash: v.hash }), access: 'write' },
  restart: { input: z.object({ writer: handle }), output: nothing, access: 'write' },
  finish: {
    input: z.object({ writer: handle, expected: v.finishing }),
    output: z.object({ hash: v.hash }),
    access: 'write'
  },
  closeWriter: { input: z.object({ writer: handle }), output: nothing, access: 'write' },
  recorded: {
    input: z.object({ paths: v.relPaths }),
    output: z.array(v.recordedFile.nullable()).max(MAX_LOOKS),
    access: 'read'
  },
  /** Without a folder: where files with this content lie that the device may read. */
  find: {
    input: z.object({ hash: v.hash }),
    output: z.array(v.text(MAX_PATH_BYTES)).max(MAX_FOUND),
    access: 'read'
  },
  close: { input: nothing, output: nothing, access: 'read' },
  ...SYNC_CALLS
} as const

/** Answered in parts, as the asker has room for them; then once with nothing. */
export const STREAMS = {
  list: { input: z.object({ path: v.relOrRoot }), output: page, access: 'read' },
  walk: {
    input: z.object({
      path: v.relOrRoot,
      except: z.array(v.relOrRoot).max(MAX_LOOKS).optional(),
      depth: count.optional(),
      otherFileSystems: z.boolean().optional()
    }),
    output: page,
    access: 'read'
  },
  read: {
    input: z.object({
      path: v.relOrRoot,
      ranges: v.ranges.optional(),
      /** The hash of all of it is wanted. */
      hashed: z.boolean().optional()
    }),
    output: v.piece,
    access: 'read'
  },
  blocks: {
    input: z.object({
      path: v.rel,
      averageBytes: z.number().refine(isBlockAverage),
      fromBytes: safeCount.optional()
    }),
    output: v.blockPiece,
    access: 'read'
  },
  hash: {
    input: z.object({ paths: v.relPaths }),
    output: z.object({ bytes: safeCount, files: z.array(v.hashedFile).max(MAX_HASHES_A_PART) }),
    access: 'read'
  },
  ...SYNC_STREAMS
} as const

export type CallName = keyof typeof CALLS
export type StreamName = keyof typeof STREAMS

const traits = new Map<string, CallTraits>(Object.entries<CallTraits>({ ...CALLS, ...STREAMS }))
/** Of a call by its name, which may be one that there is not. */
export const traitsOf = (name: string): CallTraits | undefined => traits.get(name)

export type Input<N extends CallName | StreamName> = N extends CallName
  ? z.input<(typeof CALLS)[N]['input']>
  : N extends StreamName
    ? z.input<(typeof STREAMS)[N]['input']>
    : never
export type Output<N extends CallName | StreamName> = N extends CallName
  ? z.output<(typeof CALLS)[N]['output']>
  : N extends StreamName
    ? z.output<(typeof STREAMS)[N]['output']>
    : never

/** The head of a CALL frame; its input is checked by the schema of its name. */
export const callHead = z.object({ name: z.string().max(32), input: z.unknown() })
export const moreHead = z.object({ parts: count.min(1).max(1024) })
export const errorHead = z.object({
  code: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/),
  message: v.text(4_000),
  hint: v.text(4_000).optional()
})
