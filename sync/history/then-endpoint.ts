import { type RelPath, SpacedriveError } from '../../storage/base/index.js'
import { createHasher, hashZeros } from '../../storage/content/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import type {
  BlockPiece,
  BlocksOptions,
  Endpoint,
  HashedStart,
  HashOptions,
  KeptContents,
  Looked,
  PackedFile,
  ReadOptions,
  ReadPack,
  ReadPiece
} from '../endpoints/index.js'
import { type Origin, working } from './work.worker.js'

export interface ThenInit {
  /** What there was then, and where its contents are. */
  readonly work: Database
  /** Today's tree. */
  readonly now: Endpoint
  /** `content/` of the stores. */
  readonly stores: readonly KeptContents[]
}

const NO_STAT: EntryStat = {
  ...{ kind: 'file', sizeBytes: 0, mtimeNs: 0n, ctimeNs: 0n, birthNs: 0n, device: 0n, inode: 0n, mount: 0n },
  ...{ mode: 0, links: 1, uid: 0 }
}

type Place = { readonly at: KeptContents; readonly path: RelPath }

/** An end as it was at a moment, to be read from: contents come from today's tree, or from what was kept. */
export function thenEndpoint({ work, now, stores }: ThenInit): Endpoint {
  const inStore = ({ hash, store }: Origin): Place | undefined =>
    hash === undefined || store === undefined
      ? undefined
      : { at: stores[store]!, path: `${hash.slice(0, 2)}/${hash}` as RelPath }
  const placeOf = (origin: Origin): Place | undefined =>
    origin.now === undefined ? inStore(origin) : { at: now, path: origin.now }
  const find = async (path: RelPath): Promise<Place> => {
    const [origin] = await work.maintain(working.origins, { paths: [path] })
    const place = placeOf(origin!)
    if (place === undefined) throw new TypeError(`nothing is known of ${path}`)
    return place
  }
  const notSaid = (path: RelPath): PackedFile => ({
    path,
    problem: { path, code: 'NO_VERSION', message: `the content of ${path} is kept nowhere` }
  })
  const unable = (): never => {
    throw new TypeError('the past is only read')
  }
  return {
    kind: 'memory',
    shown: now.shown,
    about: options => now.about(options),
    async look(paths): Promise<readonly Looked[]> {
      const holds = await work.maintain(working.holds, { paths })
      return paths.map((path, i) => (holds[i] === true ? { path, entry: { path, stat: NO_STAT } } : { path }))
    },
    async readPack(paths, options): Promise<ReadPack> {
      const origins = await work.maintain(working.origins, { paths })
      const places = origins.map(placeOf)
      const [first] = places
      if (first === undefined) return { data: new Uint8Array(0), files: [notSaid(paths[0]!)] }
      // As many from the first on as lie in one place.
      const other = places.findIndex(place => place?.at !== first.at)
      const some = places.slice(0, other < 0 ? places.length : other) as Place[]
      const { data, files } = await first.at.readPack(
        some.map(({ path }) => path),
        options
      )
      return { data, files: files.map((file, i) => ({ ...file, path: paths[i]! })) }
    },
    async *read(path: RelPath, options?: ReadOptions): AsyncGenerator<ReadPiece> {
      const { at, path: there } = await find(path)
      yield* at.read(there, options)
    },
    async *blocks(path: RelPath, options: BlocksOptions): AsyncGenerator<BlockPiece> {
      const { at, path: there } = await find(path)
      // All of it travels then.
      if (at.blocks === undefined) throw new SpacedriveError('TOO_LARGE', 'what is kept there is not compared')
      yield* at.blocks(there, options)
    },
    async hashStart(path: RelPath, lengthBytes: number, options?: HashOptions): Promise<HashedStart> {
      const { at, path: there } = await find(path)
      return at.hashStart?.(there, lengthBytes, options) ?? hashRead(at, there, lengthBytes, options)
    },
    close: async () => {},
    ...{
      capabilities: unable,
      list: unable,
      walk: unable,
      hash: unable,
      openStage: unable,
      place: unable
    },
    ...{ placeGroup: unable, trash: unable, space: unable, ensureSpace: unable }
  }
}

/** The first bytes of what can only be read. */
async function hashRead(
  at: KeptContents,
  path: RelPath,
  lengthBytes: number,
  { onBytes, signal }: HashOptions = {}
): Promise<HashedStart> {
  const hasher = createHasher()
  let stat: EntryStat | undefined
  for await (const piece of at.read(path, { signal, ranges: [{ fromBytes: 0, lengthBytes }] })) {
    if (piece.kind === 'data') {
      hasher.update(piece.bytes)
      onBytes?.(piece.bytes.length)
    } else if (piece.kind === 'hole') hashZeros(hasher, piece.lengthBytes)
    else stat = piece.stat
  }
  return { hash: hasher.digest(), stat: stat! }
}
