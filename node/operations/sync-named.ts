/** Syncs by name: those of this device, and those that another one drives with a folder here. */
import { type AbsPath, displayPath, hasCode, SpacedriveError, typed } from '../../storage/base/index.js'
import type { EndsOfSync } from '../../sync/history/index.js'
import type { ServedSync } from '../../sync/serving/index.js'
import type { Sync, SyncEnd } from '../../sync/session/index.js'
import type { Peer } from '../compose.js'
import { formatTime } from './format.js'

export type NamedSync = { readonly own: Sync } | { readonly served: ServedSync }

/** @param name - of a served one with `DEVICE:` before it where that is needed @throws {SpacedriveError} SYNC_NOT_FOUND, AMBIGUOUS */
export function namedSync(peer: Peer, name: string): NamedSync {
  const served = peer.served.list().filter(s => s.folder !== undefined)
  const whole = served.find(s => `${peer.devices.nameOf(s.device)}:${s.name}` === name)
  if (whole !== undefined) return { served: whole }
  try {
    return { own: peer.syncs.find(name) }
  } catch (err) {
    const [first, second] = served.filter(s => s.name === name)
    if (first === undefined || !hasCode(err, 'SYNC_NOT_FOUND')) throw err
    if (second === undefined) return { served: first }
    const both = [first, second].map(s => `${peer.devices.nameOf(s.device)}:${s.name}`)
    throw new SpacedriveError('AMBIGUOUS', `several devices drive a sync ${displayPath(name)}`, {
      hint: `Name one of them: ${both.join(', ')}.`
    })
  }
}

/** One that this device drives. @throws {SpacedriveError} SYNC_NOT_FOUND; DRIVEN_ELSEWHERE with the device that does */
export function drivenSync(peer: Peer, name: string): Sync {
  const found = namedSync(peer, name)
  if ('own' in found) return found.own
  const device = peer.devices.nameOf(found.served.device)
  throw new SpacedriveError('DRIVEN_ELSEWHERE', `${displayPath(found.served.name)} is driven by ${device}`, {
    hint: `Say it on ${device}. Here: \`sync status\`, \`plan\`, \`run\` (without --force), \`why\`, \`conflicts\`, \`resolve\`, \`pause\`, \`resume\`, \`allow\`, \`remove\`, and of what this end keeps \`versions\` and \`restore\`.`
  })
}

/** One of either kind, for what is kept at its ends. @throws {SpacedriveError} SYNC_NOT_FOUND, AMBIGUOUS */
export function keptSync(peer: Peer, name: string): EndsOfSync {
  const found = namedSync(peer, name)
  return 'own' in found ? found.own : servedEnds(found.served)
}

/** Both ends, as the driver sees them from the other side. */
export function servedEnds({ name, mode, side, folder, theirs, device }: ServedSync): EndsOfSync {
  const nothing = { volume: null, within: null }
  const here = { ...nothing, device: null, path: folder!.path, inode: folder!.inode, birthNs: folder!.birthNs }
  const there = { ...nothing, device, path: theirs as AbsPath, inode: '', birthNs: '' }
  const [source, destination] = side === 'source' ? [here, there] : [there, here]
  return { name, mode, source, destination }
}

/** One that another device drives. @throws {SpacedriveError} SYNC_NOT_FOUND */
export function servedSync(peer: Peer, name: string): ServedSync {
  const found = namedSync(peer, name)
  if ('served' in found) return found.served
  throw new SpacedriveError('NOT_SERVED', `${displayPath(name)} is driven by this device: here its own guards hold`, {
    hint: `\`sync run ${typed(displayPath(name))} --force\` does what they stopped.`
  })
}

/** An end for people: with its device before it when that is another one. */
export function shownEnd(peer: Peer, { device, path }: SyncEnd): string {
  return device === null ? displayPath(path) : `${peer.devices.nameOf(device)}:${displayPath(path)}`
}

/** A sync that another device drives, as lists and `status` show it. */
export interface ServedView {
  readonly id: number
  readonly name: string
  readonly device: string
  readonly deviceName: string
  readonly mode: string
  /** Which end is here. */
  readonly side: string
  readonly here: string
  /** The driver changes it, or only reads. */
  readonly changes: boolean
  readonly there: string
  /** How long what is replaced or deleted here is kept; null: as its mode has it. */
  readonly versions: string | null
  readonly state: 'asked' | 'paused' | 'halted' | 'waiting' | 'served'
  /** What is the matter, in one line. */
  readonly text: string
  readonly advice: string | null
  readonly askedAt: number
  readonly lastRunAt: number | null
}

export function servedView(peer: Peer, sync: ServedSync): ServedView {
  const deviceName = peer.devices.nameOf(sync.device)
  const [state, text, advice] = stateOf(peer, sync, deviceName)
  return {
    ...{ id: sync.id, name: displayPath(sync.name), device: sync.device, deviceName, mode: sync.mode, side: sync.side },
    ...{ here: displayPath(sync.folder?.path ?? sync.askedPath), there: `${deviceName}:${displayPath(sync.theirs)}` },
    changes: sync.side === 'destination' || sync.mode === 'bidirectional',
    versions: sync.versions,
    ...{ state, text, advice, askedAt: sync.askedAtMs, lastRunAt: sync.lastRunAtMs ?? null }
  }
}

function stateOf(
  peer: Peer,
  { id, name, device, folder, paused, halted, allowed, lastRunAtMs }: ServedSync,
  deviceName: string
): readonly [ServedView['state'], string, string | null] {
  const shown = displayPath(name)
  if (folder === undefined) return ['asked', `${deviceName} asks for it`, `spacedrive sync accept ${id}`]
  if (paused) return ['paused', 'paused here', `spacedrive sync resume ${typed(shown)}`]
  if (halted !== undefined && allowed === undefined) {
    const { removed, replaced } = halted
    const what = `${removed.toLocaleString('en')} deletions and ${replaced.toLocaleString('en')} replacements`
    return [
      'halted',
      `halted, nothing of it was done here: ${deviceName} wants ${what}`,
      `spacedrive sync allow ${typed(shown)}`
    ]
  }
  const last = lastRunAtMs === undefined ? 'never run' : `last run ${formatTime(lastRunAtMs)}`
  if (peer.devices.find(device)?.problem === 'does-not-know-us')
    return [
      'waiting',
      `${deviceName} does not know this device any more, ${last}`,
      `Pair with it again, or \`spacedrive sync remove ${typed(shown)}\`: files stay`
    ]
  if (peer.network.session(device) === undefined) return ['waiting', `waiting for ${deviceName}, ${last}`, null]
  return ['served', `driven by ${deviceName}, ${last}`, null]
}
