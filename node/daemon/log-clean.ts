import { displayText, isAbort, SpacedriveError } from '../../storage/base/index.js'

/** Of each text in a line: names and messages of others come in here. */
export const MAX_TEXT_CHARS = 256
const MAX_DEPTH = 4
const MAX_ITEMS = 32
const MAX_STACK_LINES = 12
const REDACTED = '[redacted]'

/** Fields whose value is never written, whatever it is. */
const SECRET_FIELD =
  /pass(word|phrase)|secret|mnemonic|entropy|(private|pair|pre_?shared|session|seal)_?key|^(words?|seed|psk|token|credentials?|authorization|cookie|pairingCode|transcript)$/i
/** Twelve words of three to eight letters, as a pairing code has, wherever they stand in a text. */
const TWELVE_WORDS = /\b(?:[a-z]{3,8}[\s,+_-]+){11}[a-z]{3,8}\b/gi
/** 32 bytes and more in hex or base64 after a word that says what they are. */
const NAMED_SECRET = /\b(password|passphrase|secret|token|private key|seed)\b(["']?\s*[:=]\s*["']?)[^\s"',;]+/gi

/** One text for the log: escaped, without secrets, at most 256 characters. */
export function cleanText(text: string): string {
  const raw = text.length > MAX_TEXT_CHARS * 4 ? text.slice(0, MAX_TEXT_CHARS * 4) : text
  const safe = displayText(raw).replace(TWELVE_WORDS, REDACTED).replace(NAMED_SECRET, `$1$2${REDACTED}`)
  return safe.length > MAX_TEXT_CHARS || raw.length < text.length ? `${safe.slice(0, MAX_TEXT_CHARS - 1)}…` : safe
}

/** A plain copy of the fields of a line: bounded in depth, number and length, without secrets. */
export function cleanFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return cleanObject(fields, 0)
}

function cleanObject(object: object, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  let left = MAX_ITEMS
  for (const [name, value] of Object.entries(object)) {
    if (left-- === 0) {
      out['…'] = 'more'
      break
    }
    out[cleanText(name).slice(0, 64)] = SECRET_FIELD.test(name) ? REDACTED : cleanValue(value, depth)
  }
  return out
}

function cleanValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return cleanText(value)
    case 'number':
    case 'boolean':
    case 'undefined':
      return value
    case 'bigint':
      return value.toString()
    case 'object':
      break
    default:
      return `[${typeof value}]`
  }
  if (value === null) return null
  if (value instanceof Error) return cleanError(value, depth)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (depth >= MAX_DEPTH) return '[…]'
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map(item => cleanValue(item, depth + 1))
    return value.length > MAX_ITEMS ? [...items, `… ${value.length - MAX_ITEMS} more`] : items
  }
  if (value instanceof Map || value instanceof Set) return `[${value.size} items]`
  return cleanObject(value, depth + 1)
}

/** Where an unexpected error came from is worth its lines; an error of ours says what it is. */
function cleanError(error: Error, depth: number): Record<string, unknown> {
  const { code, details } = error as { code?: unknown; details?: unknown }
  const out: Record<string, unknown> = { message: cleanText(error.message) }
  if (typeof code === 'string') out.code = cleanText(code)
  else if (!(error instanceof SpacedriveError)) out.name = cleanText(error.name)
  if (typeof details === 'object' && details !== null && depth < MAX_DEPTH)
    out.details = cleanObject(details, depth + 1)
  if (!(error instanceof SpacedriveError) && !isAbort(error)) out.at = stackLines(error)
  if (error.cause !== undefined && depth < MAX_DEPTH) out.cause = cleanValue(error.cause, depth + 1)
  return out
}

/** The frames alone: the text of an error stands in front of them and may hold anything. */
function stackLines(error: Error): string[] {
  return (error.stack ?? '')
    .split('\n')
    .filter(line => /^\s+at /.test(line))
    .slice(0, MAX_STACK_LINES)
    .map(line => cleanText(line.trim()))
}
