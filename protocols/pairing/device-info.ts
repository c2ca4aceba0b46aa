/** What the two devices tell each other about themselves, sealed, and how a foreign name is made harmless. */
import { z } from 'zod'
import { cleanName as cleanShown } from '../../storage/base/index.js'
import { decode, encode } from '../wire/index.js'
import { MAX_EPOCH, MAX_MODEL_BYTES } from './limits.js'
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
  return { name: cleanName(name), os: cleanShown(os, MAX_MODEL_BYTES), model: cleanShown(model, MAX_MODEL_BYTES) }
}

/** A name that may be shown and stored: cleaned, at most 64 graphemes and 255 bytes, never empty. */
export function cleanName(name: string): string {
  return cleanShown(name) || 'unnamed device'
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
