import { resolve } from 'node:path'
import type { StartOptions } from '../../daemon/index.js'
import type { Typed } from '../../operations/operation.js'
import type { LocalContext } from './local-command.js'

/** Understood by `start` and `restart`. */
export const startFlags: readonly (readonly [string, string])[] = [
  ['--enable-networking', 'switch networking on; it stays on for later starts'],
  ['--loopback', 'listen on 127.0.0.1 alone, with all discovery off (or SPACEDRIVE_LOOPBACK=1)'],
  ['--listen <multiaddr>...', 'listen on this address, such as /ip4/0.0.0.0/tcp/4001'],
  ['--no-mdns', 'do not look for devices on the local network'],
  ['--no-dht', 'do not use the DHT'],
  ['--password-file <file>', 'holds the password of a sealed key (or SPACEDRIVE_PASSWORD)'],
  ['--new-database', 'begin with a new instance.db where it is lost; one that is there is used']
]

export function startOptionsOf({ dataDir, globals, terminal }: LocalContext, { options }: Typed): StartOptions {
  const flags: Record<string, unknown> = {}
  if (options.enableNetworking === true) flags['network.enabled'] = true
  if (options.loopback === true) flags['network.loopback'] = true
  if (options.listen !== undefined) flags['network.listen'] = options.listen
  if (options.mdns === false) flags['network.mdns'] = false
  if (options.dht === false) flags['network.dht'] = false
  const file = options.passwordFile
  return {
    dataDir,
    flags,
    ...(typeof file === 'string' ? { passwordFile: resolve(terminal.cwd, file) } : {}),
    ...(options.newDatabase === true ? { newDatabase: true } : {}),
    ...(globals.verbose ? { verbose: true } : {})
  }
}
