/** Ends that lie on another device: how a sync reaches them. */
import {
  type AbortOptions,
  type DeviceId,
  displayPath,
  hasCode,
  SpacedriveError,
  typed
} from '../../storage/base/index.js'
import type { Endpoint } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import { type IdentityHalt, markerOf } from './guard.js'
import { type Sync, writableEnds } from './record.js'

/** The way to other devices; filled in by whoever speaks with them. */
export interface FarEnds {
  nameOf(device: DeviceId): string
  isConnected(device: DeviceId): boolean
  /** It was reached, and does not want to know this device (any more): waiting for it is in vain. */
  refuses(device: DeviceId): boolean
  /** Waits until a device is connected. @throws `signal.reason` */
  whenConnected(device: DeviceId, options: AbortOptions): Promise<unknown>
  /** Opens the folder that a device serves for a sync. @throws {SpacedriveError} DEVICE_AWAY, UNREACHABLE, NOT_GRANTED, what opening it there throws */
  open(at: OpenedFar, options: AbortOptions): Promise<Endpoint>
  /** Asks the device at the other end to take part. @throws {SpacedriveError} NOT_PAIRED */
  ask(sync: Sync): Promise<void>
  /** The sync is no more. */
  end(sync: Sync): Promise<void>
}

export interface OpenedFar {
  readonly device: DeviceId
  readonly path: string
  readonly sync: string
  readonly access: 'read' | 'write'
}

/** `sync run` waits so long for a device that is away. */
export const WAIT_FOR_DEVICE_MS = 30_000

/** What says that it is not the time yet: nothing is wrong, and it goes on by itself. */
export const WAITING_CODES: ReadonlySet<string> = new Set([
  'DEVICE_AWAY',
  'UNREACHABLE',
  'NOT_ACCEPTED',
  'BUSY',
  'PAUSED'
])

/** The folder of another device, if it is the very one the sync was made for; that device judges that itself, too. */
export async function openFar(
  far: FarEnds | undefined,
  sync: Sync,
  end: End,
  { marked, signal }: { marked: boolean; signal: AbortSignal | undefined }
): Promise<Endpoint | IdentityHalt> {
  const { device, path, inode, birthNs } = sync[end]
  if (far === undefined || device === null) throw away('the other device')
  const name = far.nameOf(device)
  if (sync.agreement !== 'accepted') return notAccepted(sync, end, name)
  const options = { ...(signal && { signal }) }
  const access = writableEnds(sync.mode).includes(end) ? 'write' : 'read'
  const shown = `${displayPath(path)} on ${name}`
  const halt = (reason: IdentityHalt['reason'], message: string, hint = BACK): IdentityHalt => ({
    ...{ reason, end, message, hint }
  })
  if (!far.isConnected(device) && far.refuses(device))
    return halt(
      'refused',
      `${name} no longer knows this device`,
      `Pair with ${name} again, and \`sync add\` anew: files stay.`
    )
  let endpoint: Endpoint
  try {
    endpoint = await reachFar(far, { device, path, sync: sync.uuid, access }, options)
  } catch (err) {
    if (hasCode(err, 'MISSING')) return halt('root-missing', `${shown} is not there`)
    if (hasCode(err, 'NOT_A_DIRECTORY')) return halt('root-not-a-folder', `${shown} is no folder any more`)
    if (hasCode(err, 'ROOT_REPLACED'))
      return halt('root-replaced', `${shown} is another folder than the one that was synced`)
    if (hasCode(err, 'NOT_GRANTED'))
      return halt(
        'refused',
        `${name} takes no part in this sync any more`,
        `\`sync remove ${typed(sync.name)}\`, and \`sync add\` anew.`
      )
    throw err
  }
  const { root } = await endpoint.about(options)
  if (String(root.inode) === inode && String(root.birthNs) === birthNs) return endpoint
  if (marked && (await markerOf(endpoint, options).catch(() => undefined)) !== undefined) return endpoint
  await endpoint.close()
  return halt('root-replaced', `${shown} is another folder than the one that was synced`)
}

/** @throws {SpacedriveError} DEVICE_AWAY, and what opening it there throws */
export async function reachFar(far: FarEnds | undefined, at: OpenedFar, options: AbortOptions): Promise<Endpoint> {
  if (far?.isConnected(at.device) !== true) throw away(far?.nameOf(at.device) ?? 'the other device')
  return far.open(at, options)
}

/** @throws {SpacedriveError} NOT_ACCEPTED while nobody there has answered */
function notAccepted({ name: sync, agreement }: Sync, end: End, name: string): IdentityHalt {
  if (agreement === 'asked')
    throw new SpacedriveError('NOT_ACCEPTED', `${name} has not accepted it yet`, {
      hint: `There: \`spacedrive sync requests\` and \`spacedrive sync accept\`.`
    })
  const message = agreement === 'declined' ? `${name} declined it` : `${name} takes no part in this sync any more`
  return { reason: 'refused', end, message, hint: `\`sync remove ${typed(sync)}\`, and \`sync add\` anew.` }
}

const away = (name: string): SpacedriveError => new SpacedriveError('DEVICE_AWAY', `${name} is away`)
const BACK = 'Bring the folder back there (is its disk mounted?), or `sync remove` and `sync add` anew: files stay.'
