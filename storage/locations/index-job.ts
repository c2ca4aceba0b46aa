import { z } from 'zod'
import {
  displayPath,
  hasCode,
  isUuid,
  type JobId,
  type LibraryId,
  type LocationId,
  parseRelPath,
  type RelPath
} from '../base/index.js'
import type {
  Indexer,
  IndexLocation,
  IndexMode,
  IndexPhaseName,
  IndexReport,
  IndexRun,
  IndexRunState,
  IndexScope
} from '../indexer/index.js'
import { defineJob, type JobDefinition, type Phase, type PhaseContext } from '../jobs/index.js'
import type { Library } from '../libraries/index.js'
import { phaseWords } from './phase-words.js'

export interface IndexJobInput {
  readonly library: LibraryId
  readonly location: LocationId
  /** For lists, as it was when the job was made. */
  readonly name: string
  readonly mode: IndexMode
  readonly force?: boolean | undefined
}

/** A look at a folder in a location, or at all of it in another way than its job looks at it. */
export interface IndexPartInput extends IndexJobInput {
  /** Empty: the location itself. */
  readonly from: RelPath
  readonly scope: IndexScope
  readonly maxDepth?: number | undefined
}

export interface IndexJobState {
  run: IndexRunState | null
}

/** What the job needs of the locations. */
export interface IndexJobHost {
  readonly indexer: Indexer
  /**
   * Waits until the location is set up and watched, so that nothing falls between a scan and a watch.
   * @param options.missed - the job goes on behind a discovery that nobody watched after: a look is due when it has ended
   * @throws LOCATION_NOT_FOUND, LIBRARY_NOT_OPEN, LOCATION_OFFLINE, `signal.reason`
   */
  prepare(
    library: LibraryId,
    location: LocationId,
    options: { missed: boolean; signal: AbortSignal }
  ): Promise<{ library: Library; location: IndexLocation }>
}

export type IndexJob<I extends IndexJobInput = IndexJobInput> = JobDefinition<I, IndexJobState, IndexReport>
export type IndexPartJob = IndexJob<IndexPartInput>

export const serialOf = (location: LocationId): string => `location:${location}`

/** How soon a location that is being indexed by others is asked for again. */
const BUSY_RETRY_MS = 200

const PHASES: readonly { readonly name: IndexPhaseName; readonly modes: readonly IndexMode[] }[] = [
  { name: 'Discovery', modes: ['shallow', 'content', 'deep'] },
  { name: 'Processing', modes: ['shallow', 'content', 'deep'] },
  { name: 'Aggregation', modes: ['shallow', 'content', 'deep'] },
  { name: 'Content', modes: ['content', 'deep'] },
  { name: 'Deep', modes: ['deep'] },
  { name: 'Complete', modes: ['shallow', 'content', 'deep'] }
]

const id = z.string().refine(isUuid, 'expected an id')
const common = {
  library: id,
  location: id,
  name: z.string(),
  mode: z.enum(['shallow', 'content', 'deep']),
  force: z.boolean().optional()
}

/** Indexes a location, in the phases of the indexer. What it recorded before it was cut short stays and costs little to see again. */
export const indexJob = (host: IndexJobHost): IndexJob =>
  defineIndexJob<IndexJobInput>(host, {
    kind: 'index-location',
    summary: 'looks at every file of a location and records what changed',
    input: z.strictObject(common) as unknown as z.ZodType<IndexJobInput>
  })

/** Likewise a part of one, which says nothing of the rest. */
export const indexPartJob = (host: IndexJobHost): IndexPartJob =>
  defineIndexJob<IndexPartInput>(host, {
    kind: 'index-folder',
    summary: 'looks at a folder in a location and records what changed there',
    input: z.strictObject({
      ...common,
      from: z.string().refine(path => path === '' || 'path' in parseRelPath(path), 'expected a path in the location'),
      scope: z.enum(['current', 'recursive']),
      maxDepth: z.number().int().min(0).optional()
    }) as unknown as z.ZodType<IndexPartInput>
  })

function defineIndexJob<I extends IndexJobInput & Partial<IndexPartInput>>(
  host: IndexJobHost,
  about: Pick<IndexJob<I>, 'kind' | 'summary' | 'input'>
): IndexJob<I> {
  /** A run holds the location while its job is at work: it is let go of whenever a phase does not end well. */
  const runs = new Map<JobId, IndexRun>()

  async function runOf(ctx: PhaseContext<IndexJobState>, input: I): Promise<IndexRun> {
    const there = runs.get(ctx.job)
    if (there !== undefined) return there
    // What changed since the discovery of an earlier process ended, nobody saw.
    const missed = ctx.state.run?.done.includes('Discovery') ?? false
    const { library, location } = await host.prepare(input.library, input.location, { missed, signal: ctx.signal })
    const { mode, force = false, from, scope, maxDepth } = input
    const part = {
      ...(from === undefined ? {} : { from }),
      ...(scope === undefined ? {} : { scope }),
      ...(maxDepth === undefined ? {} : { maxDepth })
    }
    for (;;) {
      try {
        const run = host.indexer.indexTree({ library, location, mode, force, ...part }, ctx.state.run ?? undefined)
        runs.set(ctx.job, run)
        return run
      } catch (err) {
        // Somebody else looks at it this very moment: its turn comes.
        if (!hasCode(err, 'LOCATION_BUSY')) throw err
        await ctx.clock.sleep(BUSY_RETRY_MS, { signal: ctx.signal })
      }
    }
  }

  async function letGo(job: JobId): Promise<void> {
    const run = runs.get(job)
    runs.delete(job)
    await run?.close()
  }

  const phase = (name: IndexPhaseName, input: I, last: boolean): Phase<IndexJobState> => ({
    name,
    async execute(ctx) {
      try {
        const run = await runOf(ctx, input)
        await run.phases
          .find(p => p.name === name)!
          .execute({
            signal: ctx.signal,
            progress: ({ doneFiles, totalFiles, doneBytes, totalBytes }) => {
              ctx.progress({ doneFiles, totalFiles, doneBytes, totalBytes })
            },
            problem: problem => ctx.problem(problem)
          })
        ctx.log(phaseWords(name, run.report()))
        ctx.state.run = run.state()
        if (last) await letGo(ctx.job)
      } catch (err) {
        const run = runs.get(ctx.job)
        if (run !== undefined) ctx.state.run = run.state()
        await letGo(ctx.job)
        throw err
      }
    }
  })

  return defineJob<I, IndexJobState, IndexReport & Record<string, never>>({
    ...about,
    version: 1,
    title: ({ name }) => `index ${displayPath(name)}`,
    serial: ({ location }) => serialOf(location),
    state: () => ({ run: null }),
    phases: input =>
      PHASES.filter(p => p.modes.includes(input.mode)).map(({ name }) => phase(name, input, name === 'Complete')),
    output: ({ run }) => run!.report as IndexReport & Record<string, never>
  })
}
