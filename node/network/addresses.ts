import { isIPv4, isIPv6 } from 'node:net'

/** The parts of `/ip4/10.0.0.2/tcp/4001`, the one form that this network speaks (and `/dns4/...`, typed by a person). */
export interface NetAddress {
  readonly kind: 'ip4' | 'ip6' | 'dns'
  readonly host: string
  readonly port: number
}

export type Reach = 'loopback' | 'link-local' | 'private' | 'public' | 'reserved'

/** Text of an address without `/p2p/...`; undefined for anything that is not IP or DNS over TCP. */
export function parseAddress(text: string): NetAddress | undefined {
  const match = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})(?:\/p2p\/[A-Za-z0-9]+)?$/.exec(text)
  if (match === null) return undefined
  const [, kind, host, portText] = match as unknown as [string, string, string, string]
  const port = Number(portText)
  if (port > 65_535) return undefined
  if (kind === 'ip4') return isIPv4(host) ? { kind, host, port } : undefined
  if (kind === 'ip6') return isIPv6(host) && !host.includes('%') ? { kind, host: host.toLowerCase(), port } : undefined
  return /^[A-Za-z0-9.-]{1,253}$/.test(host) ? { kind: 'dns', host, port } : undefined
}

export function formatAddress({ kind, host, port }: NetAddress): string {
  return `/${kind === 'dns' ? 'dns4' : kind}/${host}/tcp/${port}`
}

/** Without `/p2p/...`; undefined when it is no address of ours. */
export function bareAddress(text: string): string | undefined {
  return parseAddress(text) === undefined ? undefined : text.replace(/\/p2p\/[A-Za-z0-9]+$/, '')
}

/** Where an address leads. A name may lead anywhere: it counts as public. */
export function reachOf({ kind, host }: NetAddress): Reach {
  if (kind === 'dns') return 'public'
  if (kind === 'ip4') return reachOf4(host)
  const groups = expand6(host)
  const [a, b] = groups as [number, number]
  if (groups.every((g, i) => g === (i === 7 ? 1 : 0))) return 'loopback'
  if (groups.slice(0, 5).every(g => g === 0) && groups[5] === 0xffff) {
    return reachOf4([groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.'))
  }
  if ((a & 0xffc0) === 0xfe80) return 'link-local'
  if ((a & 0xfe00) === 0xfc00) return 'private'
  if ((a & 0xe000) === 0x2000 && !(a === 0x2001 && b === 0x0db8)) return 'public'
  return 'reserved'
}

function reachOf4(host: string): Reach {
  const [a, b, c] = host.split('.').map(Number) as [number, number, number, number]
  if (a === 127) return 'loopback'
  if (a === 169 && b === 254) return 'link-local'
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)) return 'private'
  if (a === 100 && b >= 64 && b < 128) return 'private' // carrier NAT and overlay networks
  if (a === 0 || a >= 224 || (a === 192 && b === 0 && (c === 0 || c === 2))) return 'reserved'
  if ((a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) || (a === 203 && b === 0 && c === 113)) {
    return 'reserved'
  }
  return 'public'
}

/** The network a source belongs to: the IPv4 address, or the /64 of IPv6, since one host has all of that. */
export function sourceOf(address: string): string {
  const parsed = parseAddress(address)
  if (parsed === undefined) return 'unknown'
  if (parsed.kind !== 'ip6') return parsed.host
  const groups = expand6(parsed.host)
  if (groups.slice(0, 5).every(g => g === 0) && groups[5] === 0xffff) {
    return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.')
  }
  return `${groups
    .slice(0, 4)
    .map(g => g.toString(16))
    .join(':')}::/64`
}

function expand6(host: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host)
  const plain =
    dotted === null
      ? host
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
  const [head = '', tail] = plain.split('::') as [string, string | undefined]
  const parse = (part: string): number[] => (part === '' ? [] : part.split(':').map(g => Number.parseInt(g, 16)))
  const front = parse(head)
  if (tail === undefined) return front
  const back = parse(tail)
  return [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back]
}

const ORDER: Readonly<Record<Reach, number>> = { loopback: 0, private: 1, 'link-local': 2, public: 3, reserved: 4 }

/**
 * The order in which a device's addresses are dialled: those that worked, the latest first, then loopback, private,
 * public; no doubles, nothing that leads nowhere.
 */
export function dialOrder(candidates: readonly { address: string; goodAt: number }[]): string[] {
  const best = new Map<string, { address: string; goodAt: number; order: number }>()
  for (const { address, goodAt } of candidates) {
    const bare = bareAddress(address)
    if (bare === undefined) continue
    const parsed = parseAddress(bare)!
    const reach = reachOf(parsed)
    if (reach === 'reserved' || parsed.port === 0) continue
    const known = best.get(bare)
    if (known === undefined || known.goodAt < goodAt) best.set(bare, { address: bare, goodAt, order: ORDER[reach] })
  }
  return [...best.values()].sort((a, b) => b.goodAt - a.goodAt || a.order - b.order).map(c => c.address)
}

/** Whether a stranger on the LAN may send us to this address: its own network only, no loopback, no metadata service. */
export function fitsLan(address: string): boolean {
  const parsed = parseAddress(address)
  if (parsed === undefined || parsed.kind === 'dns' || parsed.port === 0) return false
  return reachOf(parsed) === 'private'
}
