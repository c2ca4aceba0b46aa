import { type AbortOptions, type JobId, SpacedriveError } from '../../storage/base/index.js'
import type { CopyInput, Place, Preview, PreviewTold } from '../../sync/copy/index.js'
import type { Peer } from '../compose.js'
import { namedContent, placeOf } from './device-path.js'

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

/**
 * @throws {SpacedriveError} UNKNOWN_DEVICE, AMBIGUOUS_DEVICE; NOT_FOUND for a content that nobody has; USAGE for what only holds
 *   within one device
 */
export async function copyWay(peer: Peer, asked: CopyAsked, options: AbortOptions): Promise<CopyWay> {
  const { sources: from, destination: to, prepare, owner, xattrs, ...rest } = asked
  const sources: Place[] = []
  for (const text of from) {
    const hash = namedContent(text)
    if (hash !== undefined && asked.operation === 'move')
      throw new SpacedriveError('USAGE', `${text} can be copied, not moved`, {
        hint: 'Name the file itself to move it.'
      })
    sources.push(hash === undefined ? placeOf(peer, text) : await peer.remoteCopies.locate(hash, options))
  }
  const destination = placeOf(peer, to)
  if ([...sources, destination].every(p => p.device === null)) {
    const input: CopyInput = { ...asked, sources: sources.map(s => s.path), destination: destination.path }
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
