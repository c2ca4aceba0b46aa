import { hostname } from 'node:os'
import { SpacedriveError } from '../../storage/base/index.js'

/** What fits on a line beside other things; from threats A18. */
export const MAX_NAME_GRAPHEMES = 64
/** A grapheme can be endless (combining marks): bounds the whole. */
const MAX_NAME_CODE_UNITS = 512

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
/** Control and format characters (escapes, bidi, zero width; ZWJ stays, emoji need it), line ends, lone surrogates, private use. */
const UNSHOWABLE = /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}]|(?!\u200d)\p{Cf}/gu

/** A name from outside as it may be shown and stored: NFC, without what could play tricks, 64 graphemes; '' if nothing is left. */
export function cleanName(text: string): string {
  const shown = text
    .slice(0, 8 * MAX_NAME_CODE_UNITS)
    .normalize('NFC')
    .replace(UNSHOWABLE, '')
    .replace(/\s+/gu, ' ')
    .trim()
  let out = ''
  let count = 0
  for (const { segment } of graphemes.segment(shown.slice(0, 2 * MAX_NAME_CODE_UNITS))) {
    if (count++ === MAX_NAME_GRAPHEMES || out.length + segment.length > MAX_NAME_CODE_UNITS) break
    out += segment
  }
  return out.trim()
}

/** A name a person gives: refused rather than changed. @throws {SpacedriveError} BAD_NAME */
export function parseName(text: string): string {
  const clean = cleanName(text)
  if (clean !== '' && clean === text.normalize('NFC').trim()) return clean
  throw new SpacedriveError(
    'BAD_NAME',
    `a device name has 1 to ${MAX_NAME_GRAPHEMES} characters that can be shown, on one line`,
    clean === '' ? {} : { hint: `For example: ${clean}` }
  )
}

/** The host's name without its domain. */
export function hostName(): string {
  return cleanName(hostname().split('.')[0] ?? '') || 'device'
}

/** The name of an instance, from that of its data directory (`instance-NAME`). */
export function instanceNameOf(directory: string): string | undefined {
  return /^instance-([a-z0-9][a-z0-9_-]{0,31})$/.exec(directory)?.[1]
}
