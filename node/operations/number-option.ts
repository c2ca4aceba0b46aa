import { SpacedriveError } from '../../storage/base/index.js'

/** An option that takes a whole number. @throws USAGE that names the option and its bounds */
export function wholeNumber(value: unknown, option: string, min: number, max: number): number {
  const n = Number(value)
  if (String(value).trim() !== '' && Number.isInteger(n) && n >= min && n <= max) return n
  throw new SpacedriveError('USAGE', `${option} takes a number from ${min} to ${max}`)
}
