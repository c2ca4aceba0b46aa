/** The ends that a session writes to: opened, what a crash left there settled. */
import { type AbortOptions, type Clock, SpacedriveError } from '../../storage/base/index.js'
import { AREA_NAME, type FileRoot, type Staging } from '../../storage/files/index.js'
import type { Endpoint, EndpointStage } from '../endpoints/index.js'
import { type EndCapabilities, PLAIN_END } from '../reconcile/index.js'
import { VersionStore } from '../versions/index.js'
import { lockRoot } from './root-lock.js'
import type { VersionKeeper } from './transition-end.js'

export interface OpenedEnd {
  readonly root: FileRoot
  readonly store: VersionStore
  /** What is replaced here, into the versions of this end. */
  readonly versions: VersionKeeper
  /** Opened when there is something to be done: until then nothing is written at this end. No other daemon writes there from then on. */
  stage(options?: AbortOptions): Promise<Staging & Pick<EndpointStage, 'fresh'>>
  /** @param discard - false: what is staged stays, to be found again */
  close(discard?: boolean): Promise<void>
}

/**
 * Completes or takes back what a crash left, old contents first: nothing of it may be lost to the cleaning.
 * @param id - of the sync: its staging place
 * @param options.keepStaged - what was staged and not placed stays
 */
export async function openEnd(
  endpoint: Endpoint,
  id: string,
  clock: Clock,
  { keepStaged = false, ...options }: { readonly keepStaged?: boolean } & AbortOptions
): Promise<OpenedEnd> {
  if (endpoint.local === undefined)
    throw new SpacedriveError('NOT_LOCAL', `${endpoint.shown} is no folder of this device`)
  const root = await endpoint.local.fileRoot(options)
  const { problems } = await root.recover(options)
  const [problem] = problems
  if (problem !== undefined)
    throw new SpacedriveError('UNSETTLED', problem.message, { details: { path: problem.path } })
  const store = new VersionStore(root, clock)
  const isLeft = await root.hasStaging(id, options)
  if (isLeft) {
    const left = await root.openStaging(id, { where: 'area', ...options })
    await store.recover(left, options)
    if (keepStaged) await left.close()
    else await left.discard(options)
  }
  let staging: ReturnType<OpenedEnd['stage']> | undefined
  /** Something may lie aside that is not in the versions yet. */
  let aside = false
  let unlock = (): void => {}
  const begin: OpenedEnd['stage'] = async (more = {}) => {
    const made = await root.openStaging(id, { where: 'area', ...more })
    try {
      unlock = await lockRoot(root, clock, more)
      return { ...made, fresh: !isLeft }
    } catch (err) {
      await (keepStaged ? made.close() : made.discard())
      throw err
    }
  }
  const stage: OpenedEnd['stage'] = more => {
    staging ??= begin(more)
    return staging
  }
  return {
    ...{ root, store, stage },
    versions: {
      async record(lines, more) {
        await store.record(lines, more)
        aside = true
      },
      async keep(done, more) {
        await store.keep(await stage(more), done, more)
        aside = false
      }
    },
    async close(discard = true) {
      let open = await staging?.catch(() => undefined)
      try {
        // What an earlier session left, and nobody asked for in this one.
        if (discard && staging === undefined && keepStaged && (await root.hasStaging(id)))
          open = await root.openStaging(id, { where: 'area' })
        await settle(open, discard)
      } finally {
        unlock()
      }
    }
  }

  async function settle(open: Staging | undefined, discard: boolean): Promise<void> {
    // An error came in between: what it replaced is not thrown away with the rest. Where that fails too, the next start does it.
    if (aside && open !== undefined)
      await store.recover(open).catch(async err => {
        await open.close()
        throw err
      })
    if (discard) await open?.discard()
    else await open?.close()
  }
}

/**
 * An end that is never written is taken as it is: it holds what it holds.
 * @param far - it lies on another device, which lets nobody near a `.spacedrive`
 */
export function capabilitiesOf(root: Pick<FileRoot, 'capabilities'> | undefined, far = false): EndCapabilities {
  if (root === undefined) return PLAIN_END
  const { foldsCase, foldsUnicode, timeStepNs, symlinks, modes, anyBytes, fileSystem } = root.capabilities
  const fat = FAT.has(fileSystem)
  return {
    ...{ foldsCase, foldsUnicode, timeStepNs, symlinks, modes, anyBytes, maxNameBytes: PLAIN_END.maxNameBytes },
    ...{ refusedCharacters: fat ? '"*:<>?\\|' : '', refusedEnds: fat ? '. ' : '' },
    refusedNames: far ? [AREA_NAME] : []
  }
}

const FAT = new Set(['vfat', 'msdos', 'exfat', 'ntfs', 'ntfs3'])
