import { SpacedriveError } from '../../storage/base/index.js'
import { asTyped } from './as-typed.js'

/** Those of sync/copy, written out: the command line loads this file and must not load the copy itself. */
export const OVERWRITE = ['skip', 'replace', 'prompt', 'skip-newer'] as const
export const PREPARE = ['auto', 'index', 'scan'] as const
export const ANSWERS = ['replace', 'skip', 'skip-newer'] as const

/** @throws {SpacedriveError} USAGE, naming what is known */
export function oneOf<const T extends string>(flag: string, known: readonly T[], value: unknown): T {
  const found = known.find(k => k === value)
  if (found !== undefined) return found
  throw new SpacedriveError('USAGE', `expected ${flag} ${known.join(' | ')}, got ${asTyped(value)}`, {
    hint: `Put ${flag} behind the paths, or write ${flag}=${known[0]}.`
  })
}
