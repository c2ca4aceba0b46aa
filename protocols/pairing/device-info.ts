/** What the two devices tell each other about themselves, sealed, and how a foreign name is made harmless. */
import { z } from 'zod'
import { decode, encode } from '../wire/index.js'
import { MAX_EPOCH, MAX_MODEL_BYTES, MAX_NAME_BYTES, MAX_NAME_GRAPHEMES } from './limits.js'
import type { LocalInfo } from './ports.js'

export interface DeviceInfo extends LocalInfo {
  /** Epoch of the last secret this device shared with the other one; 0: none that it remembers. */
  readonly epoch: number
}

/** As long as a frame can hold: what is too long for us is cut, not refused. */
const MAX_WIRE_CHARS = 4_096

const schema = z.object({
  name: z.string().max(MAX_WIRE_CHARS),
  os: z.string().max(MAX_WIRE_CHARS),
  model: z.string().max(MAX_WIRE_CHARS),
  epoch: z.number().int().min(0).max(MAX_EPOCH)
})

/** Cut to what fits a frame with room to spare: 255 + 64 + 64 bytes. */
export function encodeInfo(info: DeviceInfo): Uint8Array {
  return encode({ ...cleanInfo(info), epoch: info.epoch })
}

/** @throws {SpacedriveError} MALFORMED */
export function decodeInfo(bytes: Uint8Array): DeviceInfo {
  const info = decode(bytes, schema, 'the device information')
  return { ...cleanInfo(info), epoch: info.epoch }
}

function cleanInfo({ name, os, model }: LocalInfo): LocalInfo {
  return { name: cleanName(name), os: cleanText(os, MAX_MODEL_BYTES), model: cleanText(model, MAX_MODEL_BYTES) }
}

/** A name that may be shown and stored: cleaned, at most 64 graphemes and 255 bytes, never empty. */
export function cleanName(name: string): string {
  return cleanText(name, MAX_NAME_BYTES) || 'unnamed device'
}

/** Joins and picture forms that do not stand behind an emoji: there they are invisible and only make names differ. */
const STRAY_JOINS =
  /(?<!\p{Extended_Pictographic})\uFE0F|(?<!\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F)\u200D|\u200D$/gu
/** Controls, escapes, direction marks, private and unassigned characters, halves of surrogate pairs, and what looks like nothing. */
const HARMFUL =
  /(?!\u200D|\uFE0F)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|[\u2800\uFFFC\uFFFD]/gu

/** Takes away what does something to a screen or pretends, normalises, and cuts at a grapheme. */
function cleanText(text: string, maxBytes: number): string {
  const plain = text.normalize('NFC').replace(/\s+/gu, ' ').replace(HARMFUL, '').replace(STRAY_JOINS, '').trim()
  let out = ''
  let bytes = 0
  let graphemes = 0
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(plain)) {
    bytes += Buffer.byteLength(segment)
    graphemes += 1
    if (bytes > maxBytes || graphemes > MAX_NAME_GRAPHEMES) break
    out += segment
  }
  return out.trim()
}

/** The same for the eye: case, accents, spaces and the most common look-alikes aside. */
export function nameSkeleton(name: string): string {
  return cleanName(name)
    .normalize('NFKD')
    .replace(/[\p{M}\p{P}\p{Z}]/gu, '')
    .toLowerCase()
    .replace(/[01|l\u0430\u0435\u043e\u0440\u0441\u0445\u0456\u03bf\u03b1]/gu, c => LOOK_ALIKE[c] ?? c)
}

const LOOK_ALIKE: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '|': 'i',
  l: 'i',
  '\u0430': 'a', // Cyrillic
  '\u0435': 'e',
  '\u043e': 'o',
  '\u0440': 'p',
  '\u0441': 'c',
  '\u0445': 'x',
  '\u0456': 'i',
  '\u03bf': 'o', // Greek
  '\u03b1': 'a'
}
