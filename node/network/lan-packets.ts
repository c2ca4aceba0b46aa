/** What is said over mDNS, as values: pure, so that hostile packets can be tried without a network. */
import type { Answer, TxtData } from 'dns-packet'
import type { ResponsePacket } from 'multicast-dns'
import type { Candidate } from '../../protocols/pairing/index.js'
import type { DeviceId } from '../../storage/base/index.js'
import { bareAddress, fitsLan } from './addresses.js'

/** Every device on the local network answers under this name. */
export const DEVICE_SERVICE = '_spacedrive._udp.local'
/** A pairing code has a name of its own: 16 hex digits that only those with the words can compute. */
export const codeService = (lanTag: string): string => `${lanTag}._sdpair._udp.local`

/** Seconds others may keep an answer. */
const TTL_SECONDS = 120
/** Addresses taken from one answer. */
const MAX_ADDRESSES = 8
/** Records looked at in one packet: ours have two. */
const MAX_RECORDS = 64
/** A TXT string of DNS. */
const MAX_STRING_BYTES = 255
const PREFIX = 'dnsaddr='
const DNSADDR = /^dnsaddr=(\/ip[46]\/[^/]+\/tcp\/\d{1,5})\/p2p\/(12D3KooW[1-9A-HJ-NP-Za-km-z]{44})$/

/** @param instance - a random label, new at each start, so that two daemons of one host do not answer for each other */
export function answerFor(service: string, instance: string, device: DeviceId, addresses: readonly string[]): Answer[] {
  const name = `${instance}.${service}`
  const data = addresses
    .map(address => `${PREFIX}${address}/p2p/${device}`)
    .filter(text => Buffer.byteLength(text) <= MAX_STRING_BYTES)
    .slice(0, MAX_ADDRESSES)
  return [
    { type: 'PTR', name: service, ttl: TTL_SECONDS, data: name },
    { type: 'TXT', name, ttl: TTL_SECONDS, data }
  ]
}

/** Who answers under `service` in a packet from anybody: only addresses of local networks, only whole PeerIds. */
export function readAnswer(packet: ResponsePacket, service: string): (Candidate & { device: DeviceId })[] {
  const records = [...(packet.answers ?? []), ...(packet.additionals ?? [])].slice(0, MAX_RECORDS)
  const found = new Map<DeviceId, string[]>()
  for (const record of records) {
    // A TTL of 0 is a goodbye; it never makes a device that answers elsewhere go away, so it is not looked at.
    if (record.type !== 'TXT' || record.ttl === 0 || !record.name.toLowerCase().endsWith(`.${service}`)) continue
    for (const text of strings(record.data)) {
      const match = DNSADDR.exec(text)
      if (match === null) continue
      const address = bareAddress(match[1]!)
      if (address === undefined || !fitsLan(address)) continue
      const device = match[2] as DeviceId
      const list = found.get(device) ?? []
      if (list.length < MAX_ADDRESSES && !list.includes(address)) found.set(device, [...list, address])
    }
  }
  return [...found].map(([device, addresses]) => ({ device, addresses }))
}

function strings(data: TxtData): string[] {
  const parts = Array.isArray(data) ? data : [data]
  return parts
    .slice(0, MAX_RECORDS)
    .map(part => (typeof part === 'string' ? part : Buffer.from(part).toString('latin1')))
}
