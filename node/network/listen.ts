import { createServer } from 'node:net'
import { SpacedriveError } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { deviceWrites } from '../devices/index.js'
import { parseAddress } from './addresses.js'

/** What to listen on, and what became of it. */
export interface ListenPlan {
  /** For libp2p. */
  readonly addresses: readonly string[]
  /** Addresses of the configuration that cannot be bound, and why. */
  readonly failed: readonly { readonly address: string; readonly why: string }[]
}

const meta = (address: string): string => `port:${address}`

/**
 * A port left to the system (`/tcp/0`) is the one of last time if that is free: others find this device again after a
 * restart, a firewall's rule goes on holding. What cannot be bound (no IPv6 here, port taken) is left out and said.
 * @throws {SpacedriveError} LISTEN_FAILED when nothing is left
 */
export async function planListening(listen: readonly string[], database: Database): Promise<ListenPlan> {
  const addresses: string[] = []
  const failed: { address: string; why: string }[] = []
  for (const address of listen) {
    const parsed = parseAddress(address)
    if (parsed === undefined) {
      failed.push({ address, why: 'not an address such as /ip4/0.0.0.0/tcp/0' })
      continue
    }
    const last = Number(
      database.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', [meta(address)])?.value ?? 0
    )
    if (parsed.port === 0 && last > 0 && (await tryBind(parsed.host, last)) === undefined) {
      addresses.push(address.replace(/\/tcp\/0$/, `/tcp/${last}`))
      continue
    }
    const why = await tryBind(parsed.host, parsed.port)
    if (why === undefined) addresses.push(address)
    else failed.push({ address, why })
  }
  if (addresses.length > 0) return { addresses, failed }
  throw new SpacedriveError(
    'LISTEN_FAILED',
    `could not listen on ${failed.map(f => `${f.address} (${f.why})`).join(', ') || 'any address: none is configured'}`,
    { hint: 'Choose another address or port: `spacedrive config set network.listen ...` or `--listen`.' }
  )
}

/** Remembers the ports that the system gave. */
export async function rememberPorts(
  listen: readonly string[],
  listening: readonly string[],
  database: Database
): Promise<void> {
  for (const address of listen) {
    const parsed = parseAddress(address)
    if (parsed?.port !== 0) continue
    const bound = listening.map(parseAddress).find(a => a?.kind === parsed.kind)
    if (bound !== undefined) {
      await database.write(deviceWrites.setMeta, { name: meta(address), value: String(bound.port) })
    }
  }
}

/** @returns why the address cannot be bound, undefined when it can */
function tryBind(host: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', (err: NodeJS.ErrnoException) => resolve(err.code ?? err.message))
    server.listen({ host, port, ipv6Only: host.includes(':') }, () => server.close(() => resolve(undefined)))
  })
}
