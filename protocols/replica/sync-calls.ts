/** What a sync may ask besides, of a folder that was opened for it (`EndpointSync`, sync/endpoints/syncing.ts). */
import { z } from 'zod'
import { MAX_PATH_BYTES } from '../../storage/base/index.js'
import { MAX_PLACED_STEPS } from '../../storage/files/index.js'
import { FOLLOWED_PAGE, MAX_FOLLOWED_MOVES, MAX_LOOKS } from '../../sync/endpoints/index.js'
import { KEPT_PAGE_LINES, MAX_KEPT_LINE, MAX_WATCHED_PAGE } from '../../sync/serving/index.js'
import { MAX_HINTS } from '../../sync/session/index.js'
import { safeCount } from '../wire/index.js'
import * as v from './values.js'

const nothing = z.object({})
/** A word of the plan: `edited`, `directory-time`. */
const MAX_WHY = 64
/** Of one page: with each its new name, should its directory have one. */
const MAX_GONE = 2 * FOLLOWED_PAGE
const marker = z.object({ root: v.uuid, counter: safeCount })
const reach = z.object({ begunMs: safeCount, sinceMs: safeCount, thinnedMs: safeCount })
const keptHashes = z.array(v.hash).min(1).max(MAX_LOOKS)
const was = z.object({ mode: z.number().int().min(0).max(0o7777), mtimeNs: v.int64 }).nullable()

/** Columns of the stats of `entries` are beside them: see `followed.ts`. */
const followed = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('looked'), entries: safeCount.min(1) }),
  z.object({ kind: z.literal('whole') }),
  z.object({ kind: z.literal('since'), moves: z.array(v.followedMove).max(MAX_FOLLOWED_MOVES) }),
  z.object({
    kind: z.literal('entries'),
    paths: v.text(FOLLOWED_PAGE * (MAX_PATH_BYTES + 1)),
    count: z.number().int().min(1).max(FOLLOWED_PAGE),
    extras: z
      .array(
        z.object({
          index: safeCount,
          target: v.text(MAX_PATH_BYTES).optional(),
          unknown: v.unknownReason.optional(),
          problem: v.problem.optional(),
          from: v.rel.optional()
        })
      )
      .max(FOLLOWED_PAGE)
  }),
  z.object({ kind: z.literal('gone'), paths: z.array(v.rel).min(1).max(MAX_GONE) }),
  z.object({ kind: z.literal('end'), mark: v.uuid, later: z.array(v.rel).max(MAX_HINTS) })
])

export const SYNC_CALLS = {
  syncMarker: { input: nothing, output: z.object({ marker: marker.optional() }), access: 'read' },
  syncOpen: {
    input: nothing,
    // Who knows nothing of versions leaves `replica` out, and does not look at it.
    output: z.intersection(v.capabilities, z.object({ replica: v.replicaName.optional() })),
    access: 'write'
  },
  syncAnnounce: {
    // Who knows nothing of what git packs away leaves `repacked` out.
    input: z.object({
      ...{ run: v.uuid, removed: safeCount, repacked: safeCount.optional() },
      ...{ replaced: safeCount, directoriesRemoved: safeCount }
    }),
    // The staging place of the sync.
    output: z.object({ id: v.uuid, stage: safeCount, fresh: z.boolean() }),
    access: 'write'
  },
  syncCount: { input: z.object({ batch: safeCount }), output: z.object({ root: v.uuid }), access: 'write' },
  syncPlace: {
    input: z.object({
      ...{ run: v.uuid, steps: v.steps, group: safeCount.optional() },
      ...{ why: z.array(z.string().max(MAX_WHY)).max(MAX_PLACED_STEPS), was: z.array(was).max(MAX_PLACED_STEPS) },
      notes: z.array(v.stepNote).max(MAX_PLACED_STEPS).optional()
    }),
    output: v.results,
    access: 'write',
    turn: 'placed'
  },
  syncChanged: {
    input: z.object({ after: safeCount, upto: safeCount.optional() }),
    output: z.object({
      ...{ paths: v.relPaths, next: safeCount.optional(), upto: safeCount, empty: z.boolean() }
    }),
    access: 'write'
  },
  syncObserve: {
    input: z.object({ things: z.array(v.seenThing).max(MAX_LOOKS), round: safeCount }),
    output: z.array(v.version.nullable()).max(MAX_LOOKS),
    access: 'write'
  },
  syncLearn: { input: z.object({ notes: z.array(v.learned).max(MAX_LOOKS) }), output: nothing, access: 'write' },
  keptLook: {
    input: z.object({ hashes: keptHashes }),
    output: z.object({ kept: z.array(z.boolean()).max(MAX_LOOKS) }),
    access: 'write'
  },
  keptPack: {
    input: z.object({ hashes: keptHashes }),
    output: z.array(v.packedFile).max(MAX_LOOKS),
    access: 'write'
  },
  keptStage: {
    input: z.object({ stage: safeCount, files: z.array(v.keptWanted).min(1).max(MAX_LOOKS) }),
    output: z.object({ problems: z.array(v.problem.extend({ index: safeCount })).max(MAX_LOOKS) }),
    access: 'write'
  },
  syncAlive: { input: nothing, output: nothing, access: 'write', turn: 'word' },
  syncClose: {
    input: z.object({ done: z.boolean(), settled: z.boolean().optional() }),
    output: nothing,
    access: 'write'
  }
} as const

export const SYNC_STREAMS = {
  keptLines: {
    input: z.object({ contents: z.boolean() }),
    output: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('reach'), nowMs: safeCount, reach: reach.optional() }),
      z.object({
        kind: z.literal('lines'),
        texts: z.array(z.string().max(MAX_KEPT_LINE)).min(1).max(KEPT_PAGE_LINES)
      })
    ]),
    access: 'write'
  },
  keptRead: {
    input: z.object({ hash: v.hash, ranges: v.ranges.optional(), hashed: z.boolean().optional() }),
    output: v.piece,
    access: 'write'
  },
  syncFollow: {
    input: z.object({
      since: v.uuid.optional(),
      placed: safeCount.optional(),
      hints: z
        .array(z.object({ path: v.relOrRoot, subtree: z.boolean() }))
        .max(MAX_HINTS)
        .optional()
    }),
    output: followed,
    access: 'read'
  },
  watch: {
    input: nothing,
    output: z.object({
      changes: z.array(z.object({ path: v.relOrRoot, subtree: z.boolean() })).max(MAX_WATCHED_PAGE),
      note: v.text(1_000).optional()
    }),
    access: 'read',
    waits: true
  }
} as const

/**
 * Of the calls that change something, those that a folder opened for a sync answers: names are given and taken by `syncPlace`
 * alone, which keeps and counts. Calls that only read are answered anyway.
 */
export const SYNC_WRITES: ReadonlySet<string> = new Set([
  ...Object.keys(SYNC_CALLS),
  ...['ensureSpace', 'stageWrite', 'stageVerify', 'openFile', 'append', 'appendHole', 'appendStretch', 'appendBlocks'],
  ...['prefixHash', 'restart', 'finish', 'closeWriter', 'stageClose']
])
