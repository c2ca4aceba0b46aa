/** Scenarios of the analysis: how soon it is known what an index is worth, and how soon a tree is told. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type AbsPath, systemRandom } from '../../storage/base/index.js'
import { openFiles, ownerTag } from '../../storage/files/index.js'
import type { LocationState } from '../../storage/locations/index.js'
import { analyse, checkStaleness, type IndexPlace, indexPlaces, knownTree } from '../../sync/analysis/index.js'
import { type Endpoint, openLocalEndpoint } from '../../sync/endpoints/index.js'
import { type Bench, type BenchContext, type Figures, median, timed } from './bench.js'
import { type IndexSetup, indexSetup } from './index-setup.js'
import { type Turns, turnsDuring } from './turns.js'

const ROUNDS = 5
const FACTS = { fileSystem: 'ext4', network: false, timeStepNs: 1n }
const round = (value: number, digits = 0): number => Number(value.toFixed(digits))
const quiet = { stdio: 'ignore' } as const

interface Scene {
  readonly setup: IndexSetup
  readonly tree: AbsPath
  readonly place: IndexPlace
  readonly placeMs: number
}

/** A tree that was indexed and rests. */
async function onIndexed(context: BenchContext, run: (scene: Scene) => Promise<Figures>): Promise<Figures> {
  const tree = (await context.tree('real')) as AbsPath
  const setup = await indexSetup(context.dir)
  try {
    const location = await setup.location(tree, 'shallow')
    await setup.indexer.index({ library: setup.library, location })
    await setup.indexer.settled(setup.library)
    const { id, path } = location
    const info = { id, path, library: setup.library.id, freshness: 'fresh', watchedBy: null, activity: 'idle' }
    const places = indexPlaces({
      ...{ pool: setup.pool, libraries: setup.libraries },
      locations: { states: () => [info as LocationState] }
    })
    await places.placesOf(tree)
    const times: number[] = []
    for (let i = 0; i < ROUNDS; i++) times.push(await timed(() => places.placesOf(tree)))
    const [place] = await places.placesOf(tree)
    return await run({ setup, tree, place: place!, placeMs: median(times) })
  } finally {
    await setup.close()
  }
}

const staleness: Bench = {
  name: 'staleness',
  what: 'which parts of an indexed real tree are stale (target: 50,000 entries under 500 ms)',
  run: context =>
    onIndexed(context, async ({ setup, tree, place, placeMs }) => {
      const times: number[] = []
      const finds: number[] = []
      const report = await checkStaleness({ pool: setup.pool, place, facts: FACTS })
      for (let i = 0; i < ROUNDS; i++) {
        finds.push(await timed(() => execFileSync('find', [tree, '-type', 'd', '-printf', '%T@ %C@ %i\\n'], quiet)))
        times.push(await timed(() => checkStaleness({ pool: setup.pool, place, facts: FACTS })))
      }
      const entries = place.sums.files + place.sums.directories
      return {
        entries,
        directories: report.directories,
        stale: report.staleDirectories,
        placeMs: round(placeMs, 1),
        ms: round(median(times)),
        msFor50000: round((median(times) * 50_000) / entries),
        ratioToFind: round(median(times) / median(finds), 2)
      }
    })
}

const telling: Bench = {
  name: 'analysis',
  what: 'a tree told from the index and then from the disk (target: the first page within 100 ms)',
  run: context =>
    onIndexed(context, async ({ setup, tree, place, placeMs }) => {
      const endpoint = await openEndpoint(context, setup, tree)
      const first: number[] = []
      const known: number[] = []
      const joined: number[] = []
      const finds: number[] = []
      let told = 0
      let found = 0
      let turns: Turns = { longestTurnMs: 0, longestOwnTurnMs: 0 }
      for (let i = 0; i < ROUNDS; i++) {
        finds.push(await timed(() => execFileSync('find', [tree, '-printf', '%s %T@ %i\\n'], quiet)))
        first.push(
          await timed(async () => {
            for await (const _ of knownTree(setup.pool, place)) break
          })
        )
        known.push(
          await timed(async () => {
            for await (const _ of knownTree(setup.pool, place));
          })
        )
        const analysis = analyse({ endpoint, place, pool: setup.pool, random: systemRandom })
        turns = await turnsDuring(async () => {
          joined.push(
            await timed(async () => {
              for await (const _ of analysis.pages());
            })
          )
        })
        const summary = analysis.summary()
        told = summary.known.files + summary.known.directories
        found = summary.found.files + summary.found.directories
      }
      await endpoint.close()
      return {
        ...{ told, found, placeMs: round(placeMs, 1), firstPageMs: round(median(first), 1) },
        ...{ knownMs: round(median(known)), joinedMs: round(median(joined)) },
        ratioToFind: round(median(joined) / median(finds), 2),
        ...turns
      }
    })
}

function openEndpoint({ dir }: BenchContext, { pool }: IndexSetup, path: AbsPath): Promise<Endpoint> {
  const files = openFiles({ pool, owner: ownerTag(join(dir, 'data')) })
  return openLocalEndpoint({
    ...{ pool, files, path, ours: () => [], trash: { put: async () => [] } },
    volumes: { volumeOf: async () => undefined }
  })
}

export const analysisBenches: readonly Bench[] = [staleness, telling]
