import { z } from 'zod'
import { SpacedriveError } from '../../storage/base/index.js'
import { asTyped } from './as-typed.js'
import { parseBytes } from './format.js'
import type { Typed } from './operation.js'

export const MODE_NAMES = ['shallow', 'content', 'deep'] as const

/** Rules as they come over the API: null takes a limit away. */
export const rulesInput = z.strictObject({
  hidden: z.boolean().optional(),
  system: z.boolean().optional(),
  maxSizeBytes: z.number().int().positive().nullable().optional(),
  extensions: z.array(z.string()).nullable().optional(),
  ignore: z.array(z.string()).optional(),
  gitignore: z.boolean().optional(),
  spacedriveignore: z.boolean().optional()
})

export type RulesInput = z.input<typeof rulesInput>

export const ruleOptions = [
  ['--hidden', 'search and hash what begins with a dot, too'],
  ['--no-hidden', 'leave it out (as it is unless said otherwise)'],
  [
    '--max-size <size>',
    'files above it, such as 500M, are not hashed and not searched; none: no limit (as it is unless said otherwise)'
  ],
  ['--ext <list...>', 'only these extensions (jpg png); none: all'],
  ['--ignore <pattern...>', 'patterns as in .gitignore; none: no patterns'],
  ['--gitignore', 'what .gitignore files leave out is left out'],
  ['--no-gitignore', 'they do not count (as it is unless said otherwise)'],
  ['--spacedriveignore', 'what .spacedriveignore files leave out is left out (as it is unless said otherwise)'],
  ['--no-spacedriveignore', 'they do not count'],
  ['--system', 'search and hash what operating systems leave about (.DS_Store, Thumbs.db), too'],
  ['--no-system', 'leave it out (as it is unless said otherwise)']
] as const

/** What of the rules was typed; undefined where nothing was. */
export function typedRules({ options }: Typed): RulesInput | undefined {
  const rules: RulesInput = {}
  for (const name of ['hidden', 'system', 'gitignore', 'spacedriveignore'] as const) {
    const value = options[name]
    if (typeof value === 'boolean') rules[name] = value
  }
  if (typeof options.maxSize === 'string') rules.maxSizeBytes = size(options.maxSize)
  const extensions = list(options.ext)
  if (extensions !== undefined) rules.extensions = extensions.length === 0 ? null : extensions
  const ignore = list(options.ignore)
  if (ignore !== undefined) rules.ignore = ignore
  return Object.keys(rules).length === 0 ? undefined : rules
}

function size(text: string): number | null {
  if (text === 'none') return null
  const bytes = parseBytes(text)
  if (bytes === undefined || bytes < 1)
    throw new SpacedriveError('USAGE', `expected a size such as 100MB, or none, after --max-size, got ${asTyped(text)}`)
  return bytes
}

/** Words after the option, also joined by commas; `none` alone is the empty list. */
function list(value: Typed['options'][string]): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const words = (value as readonly string[]).flatMap(v => v.split(',')).filter(v => v !== '')
  return words.length === 1 && words[0] === 'none' ? [] : words
}

export function typedMode(value: Typed['options'][string]): (typeof MODE_NAMES)[number] | undefined {
  if (value === undefined) return undefined
  const mode = MODE_NAMES.find(m => m === value)
  if (mode === undefined)
    throw new SpacedriveError('USAGE', `expected --mode ${MODE_NAMES.join(' | ')}, got ${asTyped(value)}`)
  return mode
}
