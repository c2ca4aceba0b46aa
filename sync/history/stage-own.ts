import type { Database } from '../../storage/sql/index.js'
import type { EndpointKept, EndpointStage, KeptWanted } from '../endpoints/index.js'
import type { TransitionEnd, Wanted } from '../session/index.js'
import { working } from './work.worker.js'

export interface StagingOwnInit {
  /** Where what is wanted lies. */
  readonly work: Database
  readonly kept: EndpointKept
  readonly stage: EndpointStage
  /** Its number among the stores. */
  readonly store: number
}

/** Asked for at once: for progress, and so that an abort does not wait long. */
const BYTES_AT_ONCE = 64 * 1024 * 1024
const FILES_AT_ONCE = 250

/** Content that the end which gets it keeps itself: it is staged there and does not travel. */
export const stagingOwn =
  ({ work, kept, stage, store }: StagingOwnInit): NonNullable<TransitionEnd['stageOwn']> =>
  async (wanted, { signal, onBytes }) => {
    const origins = await work.maintain(working.origins, { paths: wanted.map(w => w.from[0]!) })
    const own = wanted.filter((_, i) => origins[i]!.now === undefined && origins[i]!.store === store)
    const staged = new Set<Wanted>()
    for (const some of inParts(own)) {
      const problems = await kept.stage(stage, some.map(keptWanted), { ...(signal && { signal }) })
      for (const [i, w] of some.entries()) {
        if (problems.has(i)) continue
        staged.add(w)
        onBytes?.(sizeOf(w))
      }
    }
    return wanted.filter(w => !staged.has(w))
  }

function* inParts(all: readonly Wanted[]): Generator<readonly Wanted[]> {
  let part: Wanted[] = []
  let bytes = 0
  for (const w of all) {
    part.push(w)
    bytes += sizeOf(w)
    if (bytes < BYTES_AT_ONCE && part.length < FILES_AT_ONCE) continue
    yield part
    part = []
    bytes = 0
  }
  if (part.length > 0) yield part
}

const sizeOf = ({ content }: Wanted): number => (content.kind === 'file' ? content.sizeBytes : 0)

/** What has an origin in a store is a file. */
function keptWanted({ content, mode, mtimeNs, staged }: Wanted): KeptWanted {
  if (content.kind !== 'file') throw new TypeError('only files are kept by their content')
  return { hash: content.hash, sizeBytes: content.sizeBytes, mode, mtimeNs, staged }
}
