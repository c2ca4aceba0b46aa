/** Answers that come in parts and need more than to be handed on. */
import type { AbortOptions, Clock, RelPath } from '../../../storage/base/index.js'
import { AREA_NAME, isTempName } from '../../../storage/files/index.js'
import type { Endpoint, FollowOptions, HashedFile } from '../../../sync/endpoints/index.js'
import type { Input } from '../calls.js'
import { followedToWire } from '../followed.js'
import { keptPath } from '../kept.js'
import { MAX_HASHES_A_PART } from '../limits.js'
import type { Answering, Outgoing } from './answering.js'
import { liesInOurs, type OurPlaces } from './place-theirs.js'
import { readParts } from './read-parts.js'
import type { ServedForSync } from './served-sync.js'

/** What there is goes out after so long, with the next hash: who asked sees that it goes on. */
const TOGETHER_MS = 250

/** Hashes as they are made, many in a part, and how many bytes were read for them. */
export async function* hashParts(
  endpoint: Pick<Endpoint, 'hash'>,
  { paths }: Input<'hash'>,
  { clock, ...options }: { readonly clock: Pick<Clock, 'monotonicMs'> } & AbortOptions
): AsyncGenerator<Outgoing, void, void> {
  let bytes = 0
  let files: HashedFile[] = []
  let sentMs = clock.monotonicMs()
  const onBytes = (n: number): void => {
    bytes += n
  }
  const part = (): Outgoing => {
    const values = { bytes, files }
    bytes = 0
    files = []
    sentMs = clock.monotonicMs()
    return { values }
  }
  for await (const file of endpoint.hash(paths, { ...options, onBytes })) {
    files.push(file)
    if (files.length >= MAX_HASHES_A_PART || clock.monotonicMs() - sentMs >= TOGETHER_MS) yield part()
  }
  if (bytes > 0 || files.length > 0) yield part()
}

/** What changed; nothing is looked at within a place of this program, whatever was hinted at. */
export async function* followParts(
  sync: ServedForSync,
  { hints, ...asked }: FollowOptions,
  places: OurPlaces,
  options: AbortOptions
): AsyncGenerator<Outgoing, void, void> {
  const theirs = hints?.flatMap(hint => theirHint(hint, places))
  for await (const page of sync.follow({ ...asked, ...options, hints: theirs })) yield followedToWire(page)
}

/** What is kept of the end of a sync: told, or read. */
export async function* keptParts(
  sync: ServedForSync,
  asked: Input<'keptLines'> | Input<'keptRead'>,
  partBytes: Answering['partBytes'],
  options: AbortOptions
): AsyncGenerator<Outgoing, void, void> {
  const kept = await sync.kept()
  if ('hash' in asked) {
    const { hash, ...how } = asked
    yield* readParts(kept.contents.read(keptPath(hash), { ...how, ...options, shared: true }), partBytes)
  } else for await (const page of kept.lines({ ...asked, ...options })) yield { values: page }
}

type AskedHint = NonNullable<FollowOptions['hints']>[number]

/** Of what lies in a `.spacedrive` that one is looked at: whether it is this program's is seen then. */
function theirHint(hint: AskedHint, places: OurPlaces): AskedHint[] {
  const names = hint.path.split('/')
  if (names.some(isTempName) || liesInOurs(hint.path, places)) return []
  const area = names.indexOf(AREA_NAME)
  if (area === -1 || area === names.length - 1) return [hint]
  return [{ path: names.slice(0, area + 1).join('/') as RelPath, subtree: true }]
}
