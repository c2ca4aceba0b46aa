import { mkdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import {
  type AbsPath,
  type Clock,
  displayPath,
  isAbort,
  isUuid,
  newUuid,
  parseRelPath,
  type Random,
  SpacedriveError,
  type WorkerPool
} from '../../../storage/base/index.js'
import { removeFile, writeFileAtomic } from '../../../storage/files/index.js'
import { type BuildInput, building } from './build.worker.js'
import { DEFAULT_MAX_DEPTH, DEFAULT_MAX_ENTRIES, EntryCheck } from './entry-check.js'
import { ManifestFileWriter, readPages } from './file.js'
import { malformed, parsePage } from './page.js'
import { selectEntries, selectedTotals } from './selection.js'
import type { NamedSource } from './sources.js'
import type { BuildOptions, Manifest, ManifestEntry, ManifestSource, ManifestStore } from './types.js'

export interface ManifestStoreComponents {
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
  /** Where manifests lie; made when it is missing. */
  readonly dir: AbsPath
}

const SUFFIX = '.manifest'

export function manifestStore({ pool, clock, random, dir }: ManifestStoreComponents): ManifestStore {
  async function newFile(): Promise<AbsPath> {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    return join(dir, `${newUuid(clock.nowMs(), random)}${SUFFIX}`) as AbsPath
  }

  async function* entries(manifest: Manifest): AsyncGenerator<readonly ManifestEntry[]> {
    let count = 0
    for await (const page of readPages(manifest.file)) {
      const raw = parsePage(page, count)
      count += raw.length
      yield raw.map(r => r.entry)
    }
  }

  return {
    entries,
    pages: manifest => readPages(manifest.file),
    select: (manifest, keep) => selectEntries(entries(manifest), manifest.totals.entries, keep),
    totals: (manifest, selection) => selectedTotals(entries(manifest), selection),

    async build(sources, { signal, onProgress, ...options } = {}) {
      const file = await newFile()
      const named = nameSources(sources)
      try {
        const input: BuildInput = { file, sources: named, ...withDefaults(options) }
        const built = await pool.run(building.buildManifest, input, { signal, onEmit: onProgress })
        await writeFileAtomic(sourcesFile(file), JSON.stringify(named))
        return { file, ...built }
      } catch (err) {
        await removeManifest(file)
        throw err
      }
    },

    async take(pages, { hash, signal, ...options } = {}) {
      const file = await newFile()
      const check = new EntryCheck(options)
      try {
        const out = await ManifestFileWriter.create(file)
        try {
          for await (const page of pages) {
            signal?.throwIfAborted()
            for (const raw of parsePage(page, check.totals.entries)) check.add(raw)
            await out.write(page)
          }
          if (check.totals.entries === 0) throw malformed('there is nothing in it')
          if (hash !== undefined && out.hash !== hash)
            throw new SpacedriveError('HASH_MISMATCH', 'the list of files is not the one that was announced')
          return { file, hash: out.hash, totals: check.totals }
        } finally {
          await out.close()
        }
      } catch (err) {
        await removeManifest(file)
        throw isAbort(err) && signal?.aborted ? signal.reason : err
      }
    },

    discard: manifest => removeManifest(manifest.file)
  }

  /** Removes only what this store made: the name is one of ours, in our folder. */
  async function removeManifest(file: AbsPath): Promise<void> {
    const name = basename(file)
    if (file !== join(dir, name) || !name.endsWith(SUFFIX) || !isUuid(name.slice(0, -SUFFIX.length)))
      throw new SpacedriveError('NOT_OURS', `${file} is not a manifest of this device`)
    await removeFile(sourcesFile(file))
    await removeFile(file)
  }
}

/** Where the sender remembers which top-level name is which path of its own: never sent. */
const sourcesFile = (file: AbsPath): AbsPath => `${file.slice(0, -SUFFIX.length)}.sources` as AbsPath

/** @throws {SpacedriveError} NOT_OURS for a manifest that was taken from a peer, or whose sources are gone */
export async function readSources(manifest: Manifest): Promise<NamedSource[]> {
  try {
    return JSON.parse(await readFile(sourcesFile(manifest.file), 'utf8')) as NamedSource[]
  } catch (cause) {
    throw new SpacedriveError('NOT_OURS', `could not send the manifest ${manifest.file}: it was not made here`, {
      cause
    })
  }
}

function withDefaults({ maxEntries, maxDepth, names }: BuildOptions): Required<BuildOptions> {
  return {
    maxEntries: maxEntries ?? DEFAULT_MAX_ENTRIES,
    maxDepth: maxDepth ?? DEFAULT_MAX_DEPTH,
    names: names ?? 'any'
  }
}

/** Two sources of one name become `name` and `name (2)`. */
function nameSources(sources: readonly ManifestSource[]): NamedSource[] {
  const taken = new Set<string>()
  return sources.map(({ path, name = path.slice(path.lastIndexOf('/') + 1) }) => {
    if ('refused' in parseRelPath(name) || name.includes('/'))
      throw new SpacedriveError(
        'BAD_NAME',
        `could not send ${displayPath(path)}: "${displayPath(name)}" is not a name`,
        {
          hint: 'Send a file or a folder, not a whole disk.'
        }
      )
    let free = name
    for (let n = 2; taken.has(free); n++) free = `${name} (${n})`
    taken.add(free)
    return { path, name: free }
  })
}
