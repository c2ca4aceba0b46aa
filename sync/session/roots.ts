/** The folders at both ends: opened, and known for what they are (SYNC.md 6, DESIGN 3). */
import {
  type AbortOptions,
  type AbsPath,
  displayPath,
  errorCode,
  hasCode,
  type RelPath,
  SpacedriveError
} from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import type { Placement } from '../../storage/volumes/index.js'
import type { Endpoint } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { type FarEnds, openFar } from './far-ends.js'
import { type IdentityHalt, markerOf } from './guard.js'
import type { Sync, SyncEnd } from './record.js'

export interface EndComponents {
  /** Opens a folder of this device. @param create - makes it when its parent exists */
  open(path: AbsPath, options?: { create?: boolean } & AbortOptions): Promise<Endpoint>
  /** Where a folder lies: its volume is known wherever it is mounted. */
  placementOf(path: AbsPath): Promise<Placement | undefined>
  /** Where a folder of a volume is now. */
  pathOf(volume: string, within: RelPath): Promise<AbsPath | undefined>
}

export interface RootsComponents extends EndComponents {
  /** Folders that were found to be themselves, so that their volume need not be asked for each time. */
  readonly sure: SureRoots
  /** The way to other devices, where there is one. */
  far?(): FarEnds | undefined
}

/**
 * The volume of a folder takes a while to be told. A folder with the same inode and time of birth, on the same mount of the same
 * device, as one that was found to be the right one is that one.
 */
export class SureRoots {
  readonly #sure = new Map<string, string>()

  async has(endpoint: Endpoint, { path, inode, birthNs }: SyncEnd): Promise<boolean> {
    const { root } = await endpoint.about()
    // Without a time of birth two sticks that take turns at one place look alike (FAT: the root is inode 1 of all of them).
    // Found elsewhere, that is to be remembered. (Numbers of mounts are used again.)
    if (endpoint.local?.path !== path) return false
    if (root.birthNs === 0n || String(root.inode) !== inode || String(root.birthNs) !== birthNs) return false
    return this.#sure.get(path) === mountOf(root)
  }

  /** Something was mounted or unmounted. */
  clear(): void {
    this.#sure.clear()
  }

  async add(endpoint: Endpoint, { path }: SyncEnd): Promise<void> {
    this.#sure.set(path, mountOf((await endpoint.about()).root))
  }
}

const mountOf = ({ inode, birthNs, device, mount }: EntryStat): string => `${device}:${mount}:${inode}:${birthNs}`

/** What a folder is known by. @throws what opening it throws */
export async function describeEnd(
  { open, placementOf }: EndComponents,
  path: AbsPath,
  options: { create?: boolean } & AbortOptions
): Promise<SyncEnd> {
  const endpoint = await open(path, options).catch(err => {
    throw withCure(err)
  })
  try {
    return await endOf(endpoint, path, placementOf)
  } finally {
    await endpoint.close()
  }
}

/** What helps where a folder cannot be taken for an end. */
const CURES: Readonly<Record<string, string>> = {
  MISSING: 'Make it first, or name another one; is its disk mounted?',
  NOT_A_DIRECTORY: 'Name a folder.',
  LINK_IN_PATH: 'Name a folder.'
}

function withCure(err: unknown): unknown {
  const hint = CURES[errorCode(err)]
  if (!(err instanceof SpacedriveError) || err.hint !== undefined || hint === undefined) return err
  return new SpacedriveError(err.code, err.message, { cause: err, hint })
}

async function endOf(endpoint: Endpoint, path: AbsPath, placementOf: EndComponents['placementOf']): Promise<SyncEnd> {
  const { root } = await endpoint.about()
  const real = endpoint.local?.path ?? path
  const placement = await placementOf(real).catch(() => undefined)
  return {
    ...{ device: null, path: real, inode: String(root.inode), birthNs: String(root.birthNs) },
    ...{ volume: placement?.volume.id ?? null, within: placement?.within ?? null }
  }
}

export interface OpenedRoots {
  readonly ends: Readonly<Record<End, Endpoint>>
  /** What is to be remembered: it moved, or is known by other facts than before. */
  readonly renewed: Readonly<Partial<Record<End, SyncEnd>>>
}

/** Opens both ends of a sync, each the very folder it was made for. */
export async function openRoots(
  components: RootsComponents,
  sync: Sync,
  roots: Readonly<Record<End, string | null>>,
  { signal }: AbortOptions
): Promise<OpenedRoots | { readonly halt: IdentityHalt }> {
  const ends: Partial<Record<End, Endpoint>> = {}
  const renewed: Partial<Record<End, SyncEnd>> = {}
  const leave = async (): Promise<void> => {
    for (const end of ENDS) await ends[end]?.close()
  }
  try {
    for (const end of ENDS) {
      const found = await openRoot(components, sync, end, { marked: roots[end] !== null, signal })
      if ('reason' in found) {
        await leave()
        return { halt: found }
      }
      ends[end] = found.endpoint
      if (found.now !== undefined) renewed[end] = found.now
    }
    return { ends: ends as Record<End, Endpoint>, renewed }
  } catch (err) {
    await leave()
    throw err
  }
}

/** One end, if it is the very folder the sync was made for. */
export async function openRoot(
  components: RootsComponents,
  sync: Sync,
  end: End,
  { marked, signal }: { marked: boolean; signal: AbortSignal | undefined }
): Promise<{ endpoint: Endpoint; now: SyncEnd | undefined } | IdentityHalt> {
  const known = sync[end]
  if (known.device !== null) {
    const far = await openFar(components.far?.(), sync, end, { marked, signal })
    return 'reason' in far ? far : { endpoint: far, now: undefined }
  }
  const shown = displayPath(known.path)
  const replaced: IdentityHalt = {
    ...{ reason: 'root-replaced', end, message: `${shown} is another folder than the one that was synced`, hint: BACK }
  }
  const endpoint = await openWhereItIs(components, known, signal).catch(err => {
    if (hasCode(err, 'MISSING'))
      return { reason: 'root-missing', end, message: `${shown} is not there`, hint: BACK } as const
    if (hasCode(err, 'NOT_A_DIRECTORY'))
      return { reason: 'root-not-a-folder', end, message: `${shown} is no folder any more`, hint: BACK } as const
    throw err
  })
  if ('reason' in endpoint) return endpoint
  try {
    if (await components.sure.has(endpoint, known)) return { endpoint, now: undefined }
    const now = await endOf(endpoint, known.path, components.placementOf)
    const verdict = judgeRoot(known, now)
    if (verdict === 'same') await components.sure.add(endpoint, known)
    if (verdict === 'same') return { endpoint, now: sameFacts(known, now) ? undefined : now }
    // What is written to is known by its marker: with it, it is the folder, wherever it was copied or put back to.
    if (marked && (await markerOf(endpoint, { ...(signal && { signal }) }).catch(() => null)) !== undefined)
      return { endpoint, now }
    if (!marked && verdict === 'volume' && !(sync.agreed && (await isEmpty(endpoint)))) return { endpoint, now }
    await endpoint.close()
    return replaced
  } catch (err) {
    await endpoint.close()
    throw err
  }
}

/** At its path, or where its disk is mounted now. */
async function openWhereItIs(
  { open, pathOf }: RootsComponents,
  { path, volume, within, inode, birthNs }: SyncEnd,
  signal: AbortSignal | undefined
): Promise<Endpoint> {
  const options: AbortOptions = { ...(signal && { signal }) }
  try {
    const here = await open(path, options)
    const { root } = await here.about()
    if (within === null || (String(root.inode) === inode && String(root.birthNs) === birthNs)) return here
    const moved = await elsewhere()
    if (moved !== undefined) await here.close()
    return moved ?? here
  } catch (err) {
    const moved = hasCode(err, 'MISSING') ? await elsewhere() : undefined
    if (moved === undefined) throw err
    return moved
  }

  async function elsewhere(): Promise<Endpoint | undefined> {
    if (volume === null || within === null || volume.startsWith('weak:')) return undefined
    const candidate = await pathOf(volume, within).catch(() => undefined)
    if (candidate === undefined || candidate === path) return undefined
    const there = await open(candidate, options).catch(() => undefined)
    if (there === undefined) return undefined
    const { root } = await there.about()
    if (String(root.inode) === inode && String(root.birthNs) === birthNs) return there
    await there.close()
    return undefined
  }
}

/**
 * `same`: this very folder; `volume`: another one, in its place on the volume it was on; `other`: neither (what lies below a bind
 * mount, when that is gone, has its path alone). Two disks may bear one inode and
 * time of birth (roots do, made within one second): ids of their volumes that are of one kind and differ say otherwise.
 */
export function judgeRoot(known: SyncEnd, now: SyncEnd): 'same' | 'volume' | 'other' {
  const kind = (id: string): string => id.slice(0, id.indexOf(':'))
  const both = known.volume !== null && now.volume !== null
  const volume = both && known.volume === now.volume && known.within === now.within
  if (known.inode === now.inode && known.birthNs === now.birthNs) {
    // A guessed id may change when the file system grows; a time of birth makes up for that, an inode alone does not.
    const certain = now.volume !== null && (kind(now.volume) !== 'weak' || now.birthNs === '0')
    const denied = both && known.volume !== now.volume && kind(known.volume!) === kind(now.volume!) && certain
    return denied ? 'other' : 'same'
  }
  return volume ? 'volume' : 'other'
}

const sameFacts = (a: SyncEnd, b: SyncEnd): boolean =>
  a.path === b.path && a.volume === b.volume && a.within === b.within && a.inode === b.inode && a.birthNs === b.birthNs

async function isEmpty(endpoint: Endpoint): Promise<boolean> {
  for await (const { entries } of endpoint.list('' as RelPath))
    if (entries.some(({ unknown }) => unknown !== 'file-system')) return false
  return true
}

const BACK = 'Bring the folder back (is its disk mounted?), or `sync remove` and `sync add` anew: files stay.'
