import { SpacedriveError } from '../../storage/base/index.js'
import { asTyped } from './as-typed.js'

/** An option that takes a whole number. @throws USAGE that names the option and its bounds */
export function wholeNumber(value: unknown, option: string, min: number, max: number): number {
  const text = String(value)
  const n = Number(text)
  if (/^\d+$/.test(text) && n >= min && n <= max) return n
  throw new SpacedriveError('USAGE', `expected a number from ${min} to ${max} after ${option}, got ${asTyped(text)}`)
}

/** `--limit`, where it was given: as the input of an operation has it. @throws USAGE */
export const limitOption = (value: unknown, max: number): { readonly limit?: number } =>
  value === undefined ? {} : { limit: wholeNumber(value, '--limit', 1, max) }
