/** The configuration file of an instance: versioned, validated, every key with its default. Flags win over environment, environment over file. */
import { z } from 'zod'

const multiaddr = z.string().regex(/^\/(ip4|ip6|dns|dns4|dns6)\//, 'expected a multiaddr such as /ip4/0.0.0.0/tcp/0')

export const configSchema = z.strictObject({
  version: z.literal(1).default(1),
  network: z
    .strictObject({
      /** Networking at the next start; the daemon remembers the last `network start` or `network stop` here. */
      enabled: z.boolean().default(false),
      listen: z.array(multiaddr).max(16).default(['/ip4/0.0.0.0/tcp/0', '/ip6/::/tcp/0']),
      /** 127.0.0.1 alone, with all discovery off: for trying things out, demos and tests. */
      loopback: z.boolean().default(false),
      mdns: z.boolean().default(true),
      /** Only used when `bootstrap` names somebody. */
      dht: z.boolean().default(true),
      bootstrap: z.array(multiaddr).max(16).default([]),
      /** Makes this device a bootstrap peer for the others. */
      serveDht: z.boolean().default(false),
      /** Where the DHT node listens; its port is its own. */
      dhtListen: z.array(multiaddr).max(16).default(['/ip4/0.0.0.0/tcp/0'])
    })
    .prefault({}),
  spacedrop: z
    .strictObject({
      /** Where accepted drops go; null: the user's Downloads folder. */
      downloads: z.string().startsWith('/').nullable().default(null)
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({})
})

export type Config = z.infer<typeof configSchema>

export const defaultConfig: Config = configSchema.parse({})
