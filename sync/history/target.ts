import {
  type AbortOptions,
  type AbsPath,
  displayPath,
  isWithin,
  newUuid,
  type RelPath,
  ROOT,
  SpacedriveError
} from '../../storage/base/index.js'
import { removeEmptyDir } from '../../storage/files/index.js'
import type { Endpoint, EndpointStage } from '../endpoints/index.js'
import { PLAIN_END } from '../reconcile/index.js'
import { capabilitiesOf, keptPlacing, openEnd, placeAt, type SessionEnd, type Sync } from '../session/index.js'
import type { BringTarget } from './bring.js'
import type { HistoryInit } from './history.js'

export interface OpenTarget extends BringTarget {
  close(): Promise<void>
}

/** An end of a sync: what is replaced there goes to its versions, also at the source of a one-way sync. */
export async function endTarget(
  { clock }: HistoryInit,
  sync: Sync,
  { endpoint, far }: { readonly endpoint: Endpoint; readonly far: SessionEnd | undefined },
  options: AbortOptions
): Promise<OpenTarget> {
  if (far !== undefined) {
    return {
      ...{ endpoint, can: capabilitiesOf(far, true), capabilities: far.capabilities },
      ...{ place: far.place, gotOn: far.gotOn },
      kept: endpoint.sync?.kept,
      async stage(taken) {
        await far.announce(taken, options)
        return far.stage(options)
      },
      close: async () => {} // by who opened it
    }
  }
  const { root, versions, stage, close } = await openEnd(endpoint, sync.uuid, clock, options)
  return {
    ...{ endpoint, can: capabilitiesOf(root), capabilities: root.capabilities, close },
    stage: () => stage(options),
    place: keptPlacing(endpoint, versions)
  }
}

/** A folder of its own, in which something gets a name where nothing stands (`begun`: but for what an attempt before put there). @throws {SpacedriveError} NOT_EMPTY, EXISTS */
export async function folderTarget(
  { open, dataDir, random, clock }: HistoryInit,
  folder: AbsPath,
  name: RelPath,
  { dryRun, begun, ...options }: AbortOptions & { readonly dryRun: boolean; readonly begun: boolean }
): Promise<OpenTarget> {
  const shown = displayPath(folder)
  if (isWithin(folder, dataDir))
    throw new SpacedriveError('OURS', `could not restore into ${shown}: it belongs to this program`)
  const there = await open(folder, options).then(
    endpoint => endpoint.close().then(() => true),
    () => false
  )
  const endpoint = await open(folder, { create: true, ...options })
  const close = async (): Promise<void> => {
    await endpoint.close()
    if (dryRun && !there) await removeEmptyDir(folder)
  }
  try {
    if (begun) {
      // What is there is looked at by who begins again.
    } else if (name === ROOT) {
      for await (const { entries } of endpoint.list(ROOT, options))
        if (entries.length > 0)
          throw new SpacedriveError('NOT_EMPTY', `could not restore into ${shown}: there is something in it`, {
            hint: 'Name an empty folder, or one that does not exist yet.'
          })
    } else {
      const [look] = await endpoint.look([name], options)
      if (look?.entry !== undefined || look?.problem !== undefined)
        throw new SpacedriveError(
          'EXISTS',
          `could not restore into ${shown}: there is a ${displayPath(name)} already`,
          {
            hint: 'Name another folder, or move that away.'
          }
        )
    }
    let staged: Promise<EndpointStage> | undefined
    return {
      endpoint,
      can: PLAIN_END,
      capabilities: { keepsIdentity: false },
      // Nothing is there that could be lost.
      async place({ steps, group, begin }, o) {
        await begin()
        const placed = steps.map(({ step }) => step)
        return placeAt(endpoint, placed, group !== undefined, o)
      },
      stage() {
        staged ??= endpoint.openStage(newUuid(clock.nowMs(), random), options)
        return staged
      },
      async close() {
        await (await staged?.catch(() => undefined))?.discard()
        await close()
      }
    }
  } catch (err) {
    await close()
    throw err
  }
}
