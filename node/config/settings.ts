import { displayPath, SpacedriveError } from '../../storage/base/index.js'
import { configBroken, configFile, readConfigFile, writeConfigFile } from './file.js'
import {
  buildConfig,
  type ConfigKey,
  checkSetting,
  configKeys,
  parseSetting,
  readKey,
  valueAt,
  withValue
} from './keys.js'
import { likely } from './likely.js'
import type { Config } from './schema.js'

export type SettingSource = 'flag' | 'environment' | 'file' | 'default'

export interface Setting {
  readonly key: string
  readonly value: unknown
  readonly source: SettingSource
  readonly meaning: string
}

/** The configuration in force, and the file under it. */
export interface Settings {
  /** What holds now: flags over environment over file over defaults. Read it where it is needed, do not keep it. */
  readonly config: Config
  list(): Setting[]
  /** @throws {SpacedriveError} UNKNOWN_SETTING */
  get(key: string): Setting
  /**
   * Writes one value to the file (undefined: takes it out). What a flag or the environment says stays in force: the answer
   * names it. Calls run one after the other.
   * @throws {SpacedriveError} UNKNOWN_SETTING, BAD_SETTING, CONFIG_BROKEN, NO_SPACE
   */
  set(key: string, value: unknown): Promise<Setting>
  /** Takes a listener for changed values; returns what takes it off. */
  onChange(listener: (config: Config) => void): () => void
}

export interface SettingsInit {
  dataDir: string
  /** By key: `network.loopback`. They win over everything. */
  flags?: ReadonlyMap<string, unknown>
  env?: NodeJS.ProcessEnv
}

/** Another name for one variable, short because demos and tests set it. */
const VARIABLE_ALIASES: Readonly<Record<string, string>> = { 'network.loopback': 'SPACEDRIVE_LOOPBACK' }

/** @throws {SpacedriveError} CONFIG_BROKEN, CONFIG_TOO_NEW, BAD_SETTING for a variable or flag */
export function openSettings({ dataDir, flags = new Map(), env = {} }: SettingsInit): Settings {
  const fromEnv = readEnvironment(env)
  const fromFlags = new Map<string, unknown>()
  for (const [key, value] of flags) fromFlags.set(key, checkSetting(readKey(key), value, 'a start option'))
  let tree = readConfigFile(dataDir)
  let fromFile = checkFile(dataDir, tree)
  let config = merge()
  let queue: Promise<unknown> = Promise.resolve()
  const listeners = new Set<(config: Config) => void>()

  function merge(): Config {
    return buildConfig(new Map([...fromFile, ...fromEnv, ...fromFlags]))
  }

  function describe(setting: ConfigKey): Setting {
    const { key, meaning } = setting
    const source = fromFlags.has(key)
      ? 'flag'
      : fromEnv.has(key)
        ? 'environment'
        : fromFile.has(key)
          ? 'file'
          : 'default'
    return { key, value: valueAt(config, key), source, meaning }
  }

  async function write(setting: ConfigKey, value: unknown): Promise<Setting> {
    // Read again: a person may have edited the file meanwhile, and their other values are not ours to undo.
    const current = readConfigFile(dataDir)
    const next = withValue(current, setting.key, value)
    const checked = checkFile(dataDir, next)
    await writeConfigFile(dataDir, next)
    tree = next
    fromFile = checked
    config = merge()
    for (const listener of [...listeners]) listener(config)
    return describe(setting)
  }

  return {
    get config() {
      return config
    },
    list: () => configKeys.map(describe),
    get: key => describe(readKey(key)),
    async set(key, value) {
      const setting = readKey(key)
      const checked = value === undefined ? undefined : checkSetting(setting, value, 'config')
      const done = queue.then(() => write(setting, checked))
      queue = done.catch(() => {})
      return await done
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
}

/** @returns the values of the file by key @throws {SpacedriveError} CONFIG_BROKEN naming the key, or the one that was meant */
function checkFile(dataDir: string, tree: Readonly<Record<string, unknown>>): Map<string, unknown> {
  const file = configFile(dataDir)
  const known = new Set(configKeys.flatMap(k => k.key.split('.').map((_, i, all) => all.slice(0, i + 1).join('.'))))
  const values = new Map<string, unknown>()
  const visit = (at: Readonly<Record<string, unknown>>, prefix: string): void => {
    for (const [name, value] of Object.entries(at)) {
      const key = prefix + name
      if (key === 'version') continue
      const setting = configKeys.find(k => k.key === key)
      if (setting !== undefined) {
        try {
          values.set(key, checkSetting(setting, value, displayPath(file)))
        } catch (err) {
          if (err instanceof SpacedriveError) throw configBroken(file, `${err.message}. ${err.hint ?? ''}`.trim())
          throw err
        }
      } else if (!known.has(key) || typeof value !== 'object' || value === null || Array.isArray(value)) {
        const near = likely(key, [...known])
        const shown = displayPath(key.slice(0, 80))
        if (known.has(key)) throw configBroken(file, `expected an object at "${shown}"`)
        throw configBroken(file, `unknown key "${shown}"${near === undefined ? '' : ` (did you mean "${near}"?)`}`)
      } else visit(value as Record<string, unknown>, `${key}.`)
    }
  }
  visit(tree, '')
  return values
}

function readEnvironment(env: NodeJS.ProcessEnv): Map<string, unknown> {
  const values = new Map<string, unknown>()
  for (const setting of configKeys) {
    for (const name of [setting.variable, VARIABLE_ALIASES[setting.key]]) {
      const text = name === undefined ? undefined : env[name]
      if (text !== undefined && text !== '') values.set(setting.key, parseSetting(setting, text, name!))
    }
  }
  return values
}
