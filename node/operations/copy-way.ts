import { type AbortOptions, type AbsPath, type JobId, SpacedriveError } from '../../storage/base/index.js'
import type { CopyInput, Preview, PreviewTold } from '../../sync/copy/index.js'
import type { Peer } from '../compose.js'
import { placeOf } from './device-path.js'

/** What is asked, with paths as they were named: absolute, or `DEVICE:/path`. */
export interface CopyAsked extends Omit<CopyInput, 'sources' | 'destination'> {
  readonly sources: readonly string[]
  readonly destination: string
}

/** A copy within this device, or one between devices: looked at before, and begun, alike. */
export interface CopyWay {
  check(options: AbortOptions): Promise<void>
  preview(told: PreviewTold): Promise<Preview>
  begin(): Promise<JobId>
}

/** @throws {SpacedriveError} UNKNOWN_DEVICE, AMBIGUOUS_DEVICE; USAGE for what only holds within one device */
export function copyWay(peer: Peer, asked: CopyAsked): CopyWay {
  const { sources: from, destination: to, prepare, owner, xattrs, ...rest } = asked
  const sources = from.map(text => placeOf(peer, text))
  const destination = placeOf(peer, to)
  if ([...sources, destination].every(p => p.device === null)) {
    const input: CopyInput = { ...asked, sources: from as readonly AbsPath[], destination: to as AbsPath }
    return {
      check: () => peer.copies.check(input),
      preview: told => peer.copies.preview(input, told),
      begin: () => peer.copies.begin(input)
    }
  }
  const only = owner ? '--owner' : xattrs ? '--xattrs' : prepare === 'index' ? '--prepare index' : undefined
  if (only !== undefined)
    throw new SpacedriveError('USAGE', `${only} holds within one device alone`, {
      hint: 'Leave it out: between devices content, permissions, times and links are copied.'
    })
  const input = { ...rest, sources, destination }
  return {
    check: options => peer.remoteCopies.check(input, options),
    preview: told => peer.remoteCopies.preview(input, told),
    begin: () => peer.remoteCopies.begin(input)
  }
}
