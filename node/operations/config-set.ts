import { z } from 'zod'
import { SpacedriveError } from '../../storage/base/index.js'
import { openSettings, parseSetting, readKey, type Settings } from '../config/index.js'
import { ensureDataDir } from '../instance/index.js'
import { defineOperation } from './operation.js'

/** What takes effect while the daemon runs; everything else waits for the next start. */
const AT_ONCE = new Set(['log.level', 'spacedrop.downloads'])

async function set(settings: Settings, key: string, value: string | readonly string[] | null, running: boolean) {
  const parsed = value === null ? undefined : parseSetting(readKey(key), value, 'config set')
  const { value: inForce, source } = await settings.set(key, parsed)
  const overridden = source === 'flag' || source === 'environment'
  return {
    key,
    value: inForce,
    source,
    takesEffect: overridden ? 'overridden' : running && !AT_ONCE.has(key) ? 'restart' : 'now'
  }
}

export const configSet = defineOperation({
  name: 'config.set',
  summary: 'Change one setting in the configuration file',
  input: z.strictObject({
    key: z.string().max(128),
    /** As typed; a list for settings that are lists; null: back to the default. */
    value: z.union([z.string().max(8192), z.array(z.string().max(1024)).max(16), z.null()])
  }),
  run: ({ peer }, { key, value }) => set(peer.settings, key, value, true),
  offline: (dataDir, { key, value }) =>
    set(openSettings({ dataDir: ensureDataDir(dataDir), env: process.env }), key, value, false),
  command: {
    path: 'config set',
    arguments: [
      ['<key>', 'its name, such as network.mdns'],
      ['[values...]', 'its value; several for a list; none with --default']
    ],
    options: [['--default', 'take it out of the file, so that the default holds']],
    examples: [
      'spacedrive config set network.mdns off',
      'spacedrive config set network.listen /ip4/0.0.0.0/tcp/4001 /ip6/::/tcp/4001',
      'spacedrive config set log.level --default'
    ],
    input({ arguments: [key, values], options }) {
      const list = (values ?? []) as readonly string[]
      if (list.length === 0 && options.default !== true) {
        throw new SpacedriveError('USAGE', `no value was given for ${String(key)}`, {
          hint: 'For an empty list give an empty text; for the default give --default.'
        })
      }
      const value = options.default === true ? null : list.length === 1 ? list[0]! : [...list]
      return { key: String(key), value }
    },
    render({ key, value, source, takesEffect }, terminal) {
      terminal.line(`${key} = ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      if (takesEffect === 'restart') terminal.note('It takes effect at the next start: `spacedrive restart`.')
      if (takesEffect === 'overridden') {
        const by = source === 'flag' ? 'an option of start' : 'an environment variable'
        terminal.note(`It was written to the file, but ${by} wins over it.`)
      }
    }
  }
})
