import { CONTENT_AT, CONTENT_BYTES, GEAR_AT, gearCode, SUM_AT } from './gear-code.js'
import { createHasher } from './hasher.js'

/** Content that is scanned at once. */
export const SCAN_BYTES = CONTENT_BYTES

/** Looks for the ends of blocks in content. One a thread: what is held is good until the next is. */
export interface GearScan {
  /** Takes up to SCAN_BYTES to be scanned. */
  hold(content: Uint8Array): void
  /**
   * From index `from` to before `to` of what is held, with the sum of what came before.
   * @returns the index behind the first byte at which the bits of `mask` are all 0 in the sum; -1: there is none (see `lastSum`)
   */
  find(from: number, to: number, sum: number, mask: number): number
  /** With which the last `find` that found nothing ended. */
  readonly lastSum: number
  /** The same over bytes behind which nothing may end. */
  sum(from: number, to: number, sum: number): number
}

/** As much of it as is used: its types come with those of a browser, which there is none of here. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  scan(at: number, to: number, sum: number, mask: number): number
}

let scan: GearScan | undefined

export function gearScan(): GearScan {
  scan ??= openScan()
  return scan
}

function openScan(): GearScan {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(gearCode()))
  const { memory, scan } = instance.exports as Exports
  const words = new Int32Array(memory.buffer)
  const held = new Uint8Array(memory.buffer, CONTENT_AT, CONTENT_BYTES)
  const word = (at: number): number => at / Int32Array.BYTES_PER_ELEMENT
  for (let byte = 0; byte < 256; byte++) words[word(GEAR_AT) + byte] = gearOf(byte)
  const gear: GearScan = {
    hold: content => held.set(content),
    find: (from, to, sum, mask) => {
      const end = scan(CONTENT_AT + from, CONTENT_AT + to, sum, mask)
      return end === 0 ? -1 : end - CONTENT_AT
    },
    get lastSum() {
      return words[word(SUM_AT)]!
    },
    sum(from, to, sum) {
      // Where all bits of a sum are 0 it goes on with just that.
      const zero = gear.find(from, to, sum, -1)
      return zero < 0 ? gear.lastSum : zero < to ? gear.sum(zero, to, 0) : 0
    }
  }
  return gear
}

/** The same for everybody: the first four bytes, little-endian, of BLAKE3 of `spacedrive gear N`. */
function gearOf(byte: number): number {
  const hash = createHasher()
    .update(Buffer.from(`spacedrive gear ${byte}`))
    .digestBytes()
  return new DataView(hash.buffer, hash.byteOffset).getInt32(0, true)
}
