import { z } from 'zod'
import { displayText, SpacedriveError } from '../../storage/base/index.js'
import { likely } from './likely.js'
import { type Config, configSchema } from './schema.js'

/** One value of the configuration, by its dotted name: `network.mdns`. */
export interface ConfigKey {
  readonly key: string
  readonly meaning: string
  readonly fallback: unknown
  /** The environment variable that sets it: `SPACEDRIVE_NETWORK_MDNS`. */
  readonly variable: string
  readonly schema: z.ZodType
}

interface Node {
  shape?: Record<string, Node & z.ZodType>
  def?: { innerType?: Node }
  description?: string
}

function walk(node: Node, path: string[]): ConfigKey[] {
  let inner: Node = node
  while (inner.def?.innerType !== undefined && inner.shape === undefined) inner = inner.def.innerType
  if (inner.shape !== undefined)
    return Object.entries(inner.shape).flatMap(([name, child]) => walk(child, [...path, name]))
  const schema = node as z.ZodType
  return [
    {
      key: path.join('.'),
      meaning: node.description ?? '',
      fallback: schema.parse(undefined),
      variable: `SPACEDRIVE_${path
        .join('_')
        .replace(/[A-Z]/g, c => `_${c}`)
        .toUpperCase()}`,
      schema
    }
  ]
}

/** Every key that a person may set, in the order of the schema. `version` is ours. */
export const configKeys: readonly ConfigKey[] = walk(configSchema as unknown as Node, []).filter(
  k => k.key !== 'version'
)

const byKey = new Map(configKeys.map(k => [k.key, k]))

/** @throws {SpacedriveError} UNKNOWN_SETTING with the likely one named */
export function readKey(key: string): ConfigKey {
  const found = byKey.get(key)
  if (found !== undefined) return found
  const within = configKeys.filter(k => k.key.startsWith(`${key}.`)).map(k => k.key)
  const near = likely(key, [...byKey.keys()])
  throw new SpacedriveError('UNKNOWN_SETTING', `there is no setting "${displayText(key.slice(0, 80))}"`, {
    hint:
      within.length > 0
        ? `It has these: ${within.join(', ')}.`
        : near === undefined
          ? 'See `spacedrive config list`.'
          : `Did you mean "${near}"?`
  })
}

/** The value at a dotted key of a nested object; undefined where there is none. */
export function valueAt(tree: unknown, key: string): unknown {
  return key.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], tree)
}

/** A copy of a nested object with the value at a dotted key replaced (or taken out, when undefined). */
export function withValue(
  tree: Readonly<Record<string, unknown>>,
  key: string,
  value: unknown
): Record<string, unknown> {
  const [name, ...rest] = key.split('.') as [string, ...string[]]
  const copy = { ...tree }
  if (rest.length > 0) copy[name] = withValue((tree[name] ?? {}) as Record<string, unknown>, rest.join('.'), value)
  else if (value === undefined) delete copy[name]
  else copy[name] = value
  return copy
}

/**
 * Makes a value of what was typed or stands in a variable: `on`, `a,b`, `null`, or JSON; what it must be tells the schema.
 * @throws {SpacedriveError} BAD_SETTING with what is allowed
 */
export function parseSetting(setting: ConfigKey, typed: string | readonly string[], from: string): unknown {
  for (const candidate of readings(typed)) {
    const result = setting.schema.safeParse(candidate)
    if (result.success && candidate !== undefined) return result.data
  }
  return refuseSetting(setting, typed, from)
}

/** Checks a value that is one already. @throws {SpacedriveError} BAD_SETTING */
export function checkSetting(setting: ConfigKey, value: unknown, from: string): unknown {
  const result = setting.schema.safeParse(value)
  return result.success && value !== undefined ? result.data : refuseSetting(setting, value, from)
}

function* readings(typed: string | readonly string[]): Generator<unknown> {
  if (typeof typed !== 'string') {
    if (typed.length === 1) yield* readings(typed[0]!)
    yield [...typed]
    return
  }
  const text = typed.trim()
  if (/^(true|on|yes|1)$/i.test(text)) yield true
  if (/^(false|off|no|0)$/i.test(text)) yield false
  if (/^(null|none|default)$/i.test(text)) yield null
  try {
    yield JSON.parse(text)
  } catch {}
  yield typed
  yield text === '' ? [] : text.split(',').map(s => s.trim())
}

function refuseSetting(setting: ConfigKey, value: unknown, from: string): never {
  const shown = displayText(JSON.stringify(value) ?? 'nothing').slice(0, 120)
  throw new SpacedriveError('BAD_SETTING', `${from}: ${shown} cannot be the value of ${setting.key}`, {
    hint: `Expected ${allowed(setting)}.`,
    details: { key: setting.key }
  })
}

/** What a setting takes, in words. */
export function allowed(setting: ConfigKey): string {
  let node = setting.schema as unknown as {
    def: { type: string; innerType?: unknown; entries?: object; element?: unknown }
  }
  let orNull = ''
  while (node.def.innerType !== undefined) {
    if (node.def.type === 'nullable') orNull = ', or null'
    node = node.def.innerType as typeof node
  }
  switch (node.def.type) {
    case 'boolean':
      return `true or false${orNull}`
    case 'enum':
      return `one of ${Object.keys(node.def.entries ?? {}).join(', ')}${orNull}`
    case 'array':
      if (setting.key.endsWith('Interfaces'))
        return `a list of interface names such as eth0, divided by commas${orNull}`
      return `a list of multiaddrs such as /ip4/0.0.0.0/tcp/0, at most 16, divided by commas${orNull}`
    case 'number':
    case 'int': {
      const { minimum, maximum } = z.toJSONSchema(setting.schema) as { minimum?: number; maximum?: number }
      return `a whole number from ${minimum} to ${maximum}${orNull}`
    }
    default:
      return `an absolute path${orNull}`
  }
}

/** A whole configuration from values by key; the rest are defaults. */
export function buildConfig(values: ReadonlyMap<string, unknown>): Config {
  let tree: Record<string, unknown> = {}
  for (const [key, value] of values) tree = withValue(tree, key, value)
  return configSchema.parse(tree)
}

/** The leaves of a partial configuration by key; what is undefined says nothing. */
export function flagsOf(tree: unknown): Map<string, unknown> {
  const found = configKeys.map(({ key }) => [key, valueAt(tree, key)] as const)
  return new Map(found.filter(([, value]) => value !== undefined))
}
