import { lstatSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AbsPath } from '../../../storage/base/index.js'
import { systemRandom } from '../../../storage/base/index.js'
import { openFiles, ownerTag } from '../../../storage/files/index.js'
import { DEFAULT_RULES, type IndexLocation } from '../../../storage/indexer/index.js'
import type { LocationState } from '../../../storage/locations/index.js'
import {
  type AnalysedEntry,
  type AnalyseInit,
  type Analysis,
  analyse,
  type IndexPlace,
  type IndexPlaces,
  indexPlaces,
  type Prepare
} from '../../../sync/analysis/index.js'
import { type Endpoint, openLocalEndpoint, type TreeEntry } from '../../../sync/endpoints/index.js'
import { type IndexFixture, indexFixture } from '../../storage/indexer/index-fixture.js'
import { rel } from '../endpoints/gather.js'

/** Folders that an index knows, and endpoints on them; all real. */
export interface AnalysisFixture {
  readonly index: IndexFixture
  readonly places: IndexPlaces
  /** What the indexes' locations are said to be: a test may say otherwise. */
  readonly said: Map<string, Partial<LocationState>>
  /** Makes a folder to be indexed. */
  folder(name: string): AbsPath
  /** Indexes it; `aged`: as if everything had rested for an hour before. */
  indexed(path: AbsPath, options?: { aged?: boolean; rules?: Partial<IndexLocation['rules']> }): Promise<IndexPlace>
  endpoint(path: AbsPath): Promise<Endpoint>
  analyse(
    path: AbsPath,
    place: IndexPlace | undefined,
    prepare?: Prepare,
    limits?: AnalyseInit['limits']
  ): Promise<Analysis>
  close(): Promise<void>
}

export async function analysisFixture(): Promise<AnalysisFixture> {
  const index = await indexFixture()
  const { pool, library, manager } = index
  const files = openFiles({ pool, owner: ownerTag('analysis') })
  const locations: IndexLocation[] = []
  const said = new Map<string, Partial<LocationState>>()
  const endpoints: Endpoint[] = []
  const states = (): LocationState[] =>
    locations.map(({ id, path }) => ({
      ...({ id, path, library: library.id, freshness: 'fresh', watchedBy: null, activity: 'idle' } as LocationState),
      ...said.get(path)
    }))
  const places = indexPlaces({ pool, libraries: manager, locations: { states } })
  const fixture: AnalysisFixture = {
    ...{ index, places, said },
    folder(name) {
      const path = join(index.tree, name) as AbsPath
      mkdirSync(path)
      return path
    },
    async indexed(path, { aged = true, rules = {} } = {}) {
      if (aged) age(path)
      let location = locations.find(l => l.path === path)
      if (location === undefined) {
        location = await index.location(path, { rules: { ...DEFAULT_RULES, ...rules } })
        locations.push(location)
      }
      await index.indexer.index({ library, location })
      const [place] = await places.placesOf(path)
      return place!
    },
    async endpoint(path) {
      const endpoint = await openLocalEndpoint({
        ...{ pool, files, path, ours: () => [], trash: { put: async () => [] } },
        volumes: { volumeOf: async () => undefined }
      })
      endpoints.push(endpoint)
      return endpoint
    },
    async analyse(path, place, prepare, limits) {
      return analyse({ endpoint: await fixture.endpoint(path), place, prepare, limits, pool, random: systemRandom })
    },
    async close() {
      for (const endpoint of endpoints) await endpoint.close()
      await files.close()
      await index.close()
    }
  }
  return fixture
}

/** Writes files; a path with a `/` at the end is a directory. */
export function write(root: string, paths: readonly string[], content = 'content'): void {
  for (const path of paths) {
    mkdirSync(path.endsWith('/') ? join(root, path) : dirname(join(root, path)), { recursive: true })
    if (!path.endsWith('/')) writeFileSync(join(root, path), content)
  }
}

/** Gives every directory a time an hour ago: as if nothing had happened since. */
export function age(root: string): void {
  for (const name of readdirSync(root)) {
    if (lstatSync(join(root, name)).isDirectory()) age(join(root, name))
  }
  const at = Date.now() / 1000 - 3600
  utimesSync(root, at, at)
}

/** What an analysis told in the end: the last word on each path, and whose it was. */
export async function lastWord(analysis: Analysis): Promise<Map<string, { from: string; entry: AnalysedEntry }>> {
  const last = new Map<string, { from: string; entry: AnalysedEntry }>()
  for await (const { from, entries } of analysis.pages()) {
    for (const entry of entries) last.set(entry.path, { from, entry })
  }
  return last
}

/** What is on the disk. */
export async function shownBy(endpoint: Endpoint): Promise<Map<string, TreeEntry>> {
  const shown = new Map<string, TreeEntry>()
  for await (const { entries } of endpoint.walk(rel(''))) for (const entry of entries) shown.set(entry.path, entry)
  return shown
}
