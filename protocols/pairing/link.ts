/**
 * The text of the QR code: `spacedrive:1?w=word-word-...&p=PEERID&a=ADDRESS,ADDRESS&e=SECONDS`. It names the device, so that
 * whoever scans it talks to that one and nobody else.
 */
import type { DeviceId } from '../../storage/base/index.js'
import { isDialable } from './address.js'
import { pairingError } from './errors.js'
import { MAX_ADDRESSES } from './limits.js'
import { parseWords } from './words.js'

const HEAD = 'spacedrive:1?'
const DEVICE_ID = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/
const MAX_LINK_CHARS = 2_048
/** A QR code of more characters no longer fits a terminal of 80 columns. */
const LINK_ADDRESSES = 2

export interface PairingLink {
  readonly words: string
  readonly device: DeviceId
  readonly addresses: readonly string[]
  readonly expiresAtMs: number
}

export function isLink(text: string): boolean {
  return /^\s*spacedrive:/i.test(text)
}

export function makeLink({ words, device, addresses, expiresAtMs }: PairingLink): string {
  const usable = addresses.filter(isDialable).slice(0, LINK_ADDRESSES)
  const a = usable.length === 0 ? '' : `&a=${usable.join(',')}`
  return `${HEAD}w=${words.replaceAll(' ', '-')}&p=${device}${a}&e=${Math.floor(expiresAtMs / 1_000)}`
}

/** @throws {SpacedriveError} BAD_LINK, BAD_WORDS; expiry is for the caller, whose clock it is */
export function parseLink(text: string): PairingLink {
  const link = text.trim()
  if (link.length > MAX_LINK_CHARS || !link.startsWith(HEAD)) throw badLink('it does not begin with ' + HEAD)
  const fields = new URLSearchParams(link.slice(HEAD.length))
  const device = fields.get('p') ?? ''
  if (!DEVICE_ID.test(device)) throw badLink('it names no device')
  const seconds = fields.get('e') ?? ''
  if (!/^\d{1,12}$/.test(seconds)) throw badLink('it does not say how long it holds')
  const addresses = (fields.get('a') ?? '').split(',').filter(a => a !== '')
  if (addresses.length > MAX_ADDRESSES) throw badLink('it has too many addresses')
  return {
    words: parseWords(fields.get('w') ?? '').words,
    device: device as DeviceId,
    addresses: addresses.filter(isDialable),
    expiresAtMs: Number(seconds) * 1_000
  }
}

const badLink = (why: string): Error =>
  pairingError('BAD_LINK', `this is not a pairing link: ${why}`, {
    hint: 'Scan the code again, or type the twelve words.'
  })
