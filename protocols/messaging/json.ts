import { z } from 'zod'
import { isPlainUtf8 } from '../../storage/base/index.js'
import { MAX_BODY_DEPTH } from './limits.js'

/** What a body may be: plain JSON values. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

class NotJson extends Error {}

/**
 * A clean copy of a value as JSON: fields that are undefined are left out, lone surrogates become U+FFFD.
 * @throws {TypeError} for what JSON cannot say, more than MAX_BODY_DEPTH levels, or a key `__proto__`
 */
export function toJson(value: unknown): Json {
  try {
    return copy(value, 0)
  } catch (err) {
    throw err instanceof NotJson ? new TypeError(err.message) : err
  }
}

/** Checks a body from the wire; what comes out has no prototype tricks in it. */
export const jsonSchema: z.ZodType<Json> = z.unknown().transform((value, ctx) => {
  try {
    return copy(value, 0)
  } catch (err) {
    if (!(err instanceof NotJson)) throw err
    ctx.addIssue({ code: 'custom', message: err.message })
    return z.NEVER
  }
}) as z.ZodType<Json>

function copy(value: unknown, depth: number): Json {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return wellFormed(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new NotJson(`expected JSON, got ${value}`)
    return value
  }
  if (typeof value !== 'object') throw new NotJson(`expected JSON, got a ${typeof value}`)
  if (depth >= MAX_BODY_DEPTH) throw new NotJson(`expected at most ${MAX_BODY_DEPTH} levels`)
  if (Array.isArray(value)) return value.map(v => copy(v, depth + 1))
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw new NotJson('expected JSON, got an object of a class')
  const out: Record<string, Json> = {}
  for (const [key, v] of Object.entries(value)) {
    if (key === '__proto__') throw new NotJson('the key __proto__ is not allowed')
    if (v !== undefined) out[wellFormed(key)] = copy(v, depth + 1)
  }
  return out
}

function wellFormed(text: string): string {
  return isPlainUtf8(text) ? text : Buffer.from(text, 'utf8').toString('utf8')
}
