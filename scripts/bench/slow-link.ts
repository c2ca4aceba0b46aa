import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { namespacesMissing } from '../../test/netns.js'
import { Instance, pair } from '../instance.js'
import { atEnd } from './ending.js'

const END = join(dirname(fileURLToPath(import.meta.url)), 'slow-link-end.js')
const PORT = 4001
const ADDRESSES = ['10.92.0.1', '10.92.0.2'] as const

export interface SlowLink {
  readonly bitsPerSecond: number
  /** There and back. */
  readonly roundTripMs: number
}

/**
 * Two paired daemons, each in a network namespace of its own that has a loopback alone, with such a link between them. Each
 * namespace has the addresses of both: at that of the other stands the end of the link.
 * @throws where namespaces cannot be made
 */
export async function withSlowPair<T>(
  dir: string,
  link: SlowLink,
  body: (a: Instance, b: Instance) => Promise<T>
): Promise<T> {
  const missing = namespacesMissing()
  if (missing !== undefined) throw new Error(missing)
  const spaces = ['a', 'b'].map(name => `sdslow${process.pid}${name}`)
  const [ends, instances]: [ChildProcess[], Instance[]] = [[], []]
  mkdirSync(join(dir, 'link'), { recursive: true })
  const end = atEnd(async () => {
    await Promise.allSettled(instances.map(instance => instance.end()))
    for (const link of ends) link.kill()
    for (const space of spaces) spawnSync('ip', ['netns', 'del', space])
  })
  try {
    for (const [i, space] of spaces.entries()) {
      ip('netns', 'add', space)
      for (const address of ADDRESSES) ip('-n', space, 'addr', 'add', `${address}/32`, 'dev', 'lo')
      ip('-n', space, 'link', 'set', 'lo', 'up')
      const prefix = ['ip', 'netns', 'exec', space]
      const [own, peer] = [ADDRESSES[i]!, ADDRESSES[1 - i]!]
      ends.push(await startEnd(prefix, own, peer, join(dir, 'link'), link))
      const instance = new Instance('ab'[i]!, join(dir, 'data'), prefix)
      instances.push(instance)
      await instance.start(`/ip4/${own}/tcp/${PORT}`)
    }
    const [a, b] = instances as [Instance, Instance]
    await pair(a, b)
    return await body(a, b)
  } finally {
    await end()
  }
}

async function startEnd(
  prefix: readonly string[],
  own: string,
  peer: string,
  dir: string,
  { bitsPerSecond, roundTripMs }: SlowLink
): Promise<ChildProcess> {
  const args = [process.execPath, END, own, peer, PORT, dir, bitsPerSecond, roundTripMs / 2].map(String)
  const child = spawn(prefix[0]!, [...prefix.slice(1), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout!, 'data')
  return child
}

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.trim()}`)
}
