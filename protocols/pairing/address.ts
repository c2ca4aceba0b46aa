/** Addresses that strangers hand us: which of them may be dialled, and whom a connection is counted for. */
import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { DeviceId } from '../../storage/base/index.js'
import { pairingError } from './errors.js'
import { MAX_ADDRESS_CHARS, MAX_TYPED_CHARS } from './limits.js'

const ADDRESS = /^\/ip([46])\/([0-9a-fA-F.:]+)\/tcp\/(\d{1,5})$/

/** Never dialled because somebody says so: ourselves, the link, multicast, reserved, and addresses in disguise. */
const REFUSED = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // also where clouds keep their secrets
  ['192.0.0.0', 24],
  ['224.0.0.0', 3] // multicast, reserved, broadcast
] as const) {
  REFUSED.addSubnet(net, bits, 'ipv4')
}
for (const [net, bits] of [
  ['::', 96], // unspecified, loopback, IPv4-compatible
  ['64:ff9b::', 96], // NAT64
  ['2002::', 16], // 6to4
  ['fe80::', 10],
  ['ff00::', 8]
] as const) {
  REFUSED.addSubnet(net, bits, 'ipv6')
}

/** True for a plain `/ip4|ip6/.../tcp/...` of a place that another device can have. No names, no relays. */
export function isDialable(address: string): boolean {
  if (address.length > MAX_ADDRESS_CHARS) return false
  const m = ADDRESS.exec(address)
  if (m === null) return false
  const port = Number(m[3])
  const family = isIP(m[2]!)
  if (port === 0 || port > 65_535 || family !== Number(m[1])) return false
  // An IPv4 address in disguise; BlockList would take such an entry for all of IPv4.
  if (family === 6 && isMapped(expandIpv6(m[2]!))) return false
  return !REFUSED.check(m[2]!, family === 4 ? 'ipv4' : 'ipv6')
}

const TYPED = /^(\/(?:ip4|ip6|ip6zone|dns|dns4|dns6)\/[^\s]+?)(?:\/p2p\/(12D3KooW[1-9A-HJ-NP-Za-km-z]{44}))?\/?$/

/** What a person typed as an address: any host and port, and the device where it is named. @throws BAD_ADDRESS */
export function parseAddress(typed: string): { address: string; device?: DeviceId } {
  const m = typed.length > MAX_TYPED_CHARS ? null : TYPED.exec(typed.trim())
  if (m === null || !/\/tcp\/\d{1,5}$/.test(m[1]!)) {
    throw pairingError('BAD_ADDRESS', 'an address must look like /ip4/192.168.1.7/tcp/4001', {
      hint: '`spacedrive network status` on the other device shows its addresses.'
    })
  }
  return { address: m[1]!, ...(m[2] === undefined ? {} : { device: m[2] as DeviceId }) }
}

const PRIVATE = new BlockList()
for (const [net, bits] of [
  ['fc00::', 7],
  ['fe80::', 10]
] as const) {
  PRIVATE.addSubnet(net, bits, 'ipv6')
}
PRIVATE.addAddress('::1', 'ipv6')

/** The /64s this machine has an address in: there a neighbour is one address. */
export function localPrefixes(): BlockList {
  const list = new BlockList()
  for (const addresses of Object.values(networkInterfaces())) {
    for (const a of addresses ?? []) if (a.family === 'IPv6') list.addSubnet(a.address, 64, 'ipv6')
  }
  return list
}

/**
 * Who a failure is counted for: the IP address; for IPv6 beyond the local network its /64, which one household has whole.
 * What is no IP address (a relay) counts by its text.
 */
export function sourceOf(address: string, local: BlockList = localPrefixes()): string {
  const ip = /^\/ip[46]\/([0-9a-fA-F.:]+)(?:%[^/]*)?(?:\/|$)/.exec(address.replace(/^\/ip6zone\/[^/]+/, ''))?.[1]
  const family = ip === undefined ? 0 : isIP(ip)
  if (ip === undefined || family === 0) return address.slice(0, MAX_ADDRESS_CHARS)
  if (family === 4) return ip
  const groups = expandIpv6(ip)
  if (isMapped(groups)) {
    return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.')
  }
  const near = PRIVATE.check(ip, 'ipv6') || local.check(ip, 'ipv6')
  const hex = groups.map(g => g.toString(16))
  return near ? hex.join(':') : `${hex.slice(0, 4).join(':')}::/64`
}

const isMapped = (groups: readonly number[]): boolean => groups.slice(0, 5).every(g => g === 0) && groups[5] === 0xffff

function expandIpv6(ip: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(ip)
  const text =
    dotted === null
      ? ip
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
  const [head = '', tail] = text.split('::')
  const parse = (part: string): number[] =>
    part
      .split(':')
      .filter(g => g !== '')
      .map(g => Number.parseInt(g, 16))
  const before = parse(head)
  if (tail === undefined) return before
  const after = parse(tail)
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}
