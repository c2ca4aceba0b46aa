/** The configuration file of an instance: versioned, validated, every key with its default and its meaning. Flags win over environment, environment over file. */
import { z } from 'zod'

const multiaddr = z.string().regex(/^\/(ip4|ip6|dns|dns4|dns6)\//, 'expected a multiaddr such as /ip4/0.0.0.0/tcp/0')

export const CONFIG_VERSION = 1

export const configSchema = z.strictObject({
  version: z.literal(CONFIG_VERSION).default(CONFIG_VERSION),
  network: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe('Networking at the next start; the daemon remembers here whether it was on.'),
      listen: z
        .array(multiaddr)
        .max(16)
        .default(['/ip4/0.0.0.0/tcp/0', '/ip6/::/tcp/0'])
        .describe('Addresses to listen on.'),
      loopback: z
        .boolean()
        .default(false)
        .describe('127.0.0.1 alone, with all discovery off: for trying things out, demos and tests.'),
      mdns: z.boolean().default(true).describe('Finding devices on the local network.'),
      mdnsInterfaces: z
        .array(z.string().regex(/^[\w.:@-]{1,32}$/, 'expected the name of a network interface'))
        .max(16)
        .default([])
        .describe('Network interfaces on which devices are looked for; none named: all.'),
      dht: z.boolean().default(true).describe('Finding devices elsewhere; used only when bootstrap names somebody.'),
      bootstrap: z.array(multiaddr).max(16).default([]).describe('Peers through which the DHT is entered.'),
      serveDht: z.boolean().default(false).describe('Makes this device a bootstrap peer for the others.'),
      dhtListen: z
        .array(multiaddr)
        .max(16)
        .default(['/ip4/0.0.0.0/tcp/0'])
        .describe('Where the DHT node listens; its port is its own.')
    })
    .prefault({}),
  spacedrop: z
    .strictObject({
      downloads: z
        .string()
        .startsWith('/', 'expected an absolute path')
        .nullable()
        .default(null)
        .describe("Where accepted drops go; null: the user's Downloads folder.")
    })
    .prefault({}),
  trash: z
    .strictObject({
      days: z
        .number()
        .int()
        .min(1)
        .max(3650)
        .default(30)
        .describe('Days for which what was deleted or replaced can be had back.'),
      percent: z
        .number()
        .int()
        .min(1)
        .max(90)
        .default(10)
        .describe('How much of a volume its trash may take; the oldest goes first, nothing that is younger than a day.')
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('What is worth a line in the log.')
    })
    .prefault({})
})

export type Config = z.infer<typeof configSchema>

export const defaultConfig: Config = configSchema.parse({})
