import type { z } from 'zod'
import { displayText, SpacedriveError } from '../../storage/base/index.js'
import { likely } from '../config/index.js'

/** At most this many problems are told at once: enough to correct a call, no page of text for a hostile one. */
const MAX_ISSUES = 5

/**
 * Checks what came from outside against a schema.
 * @param what - the subject of the error text: `the input of network.devices`
 * @throws {SpacedriveError} BAD_INPUT naming each wrong field, what was expected there, and the likely typo
 */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { issues } = result.error
  const lines = issues.slice(0, MAX_ISSUES).map(issue => describeIssue(issue, schema))
  if (issues.length > MAX_ISSUES) lines.push(`and ${issues.length - MAX_ISSUES} more`)
  throw new SpacedriveError('BAD_INPUT', `${what} was refused: ${lines.join('; ')}`, {
    details: { fields: issues.slice(0, MAX_ISSUES).map(issue => displayText(issue.path.join('.'))) }
  })
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType): string {
  const at = displayText(issue.path.join('.'))
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path)
    return issue.keys
      .slice(0, MAX_ISSUES)
      .map(key => {
        const near = likely(key, known)
        const name = displayText([...issue.path, key].join('.')).slice(0, 80)
        return `unknown field "${name}"${near === undefined ? '' : ` (did you mean "${near}"?)`}`
      })
      .join('; ')
  }
  const text = plainly(issue)
  return at === '' ? text : `"${at}": ${text}`
}

/** What is to be otherwise, in words for people: those of the schema speak of strings and of `>=`. */
function plainly(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `expected ${issue.values.map(value => displayText(String(value))).join(', ')}`.replace(
        /, ([^,]*)$/,
        ' or $1'
      )
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'must not be empty'
      return `expected ${issue.minimum}${UNITS[issue.origin] ?? ''} or more`
    case 'too_big':
      return `expected ${issue.maximum}${UNITS[issue.origin] ?? ''} or fewer`
    case 'invalid_type':
      return displayText(issue.message)
        .replace(/^Invalid input: /, '')
        .replace(/\bstring\b/g, 'text')
        .replace(/\bint\b/g, 'a whole number')
        .replace(', received undefined', '')
    default:
      return displayText(issue.message).replace(/^Invalid input: /, '')
  }
}

const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' }

function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema
  for (const step of path) at = unwrap(at)?.shape?.[step as string]
  return Object.keys(unwrap(at)?.shape ?? {})
}

type WithShape = { shape?: Record<string, unknown> }

/** Looks through `.optional()`, `.default()` and the like. */
function unwrap(schema: unknown): WithShape | undefined {
  let at = schema as (WithShape & { def?: { innerType?: unknown } }) | undefined
  while (at?.def?.innerType !== undefined) at = at.def.innerType as typeof at
  return at
}
