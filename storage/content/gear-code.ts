/**
 * The loop that looks at nearly every byte of a file whose blocks are wanted, as WebAssembly: in JavaScript it takes more than twice
 * the time, since each look into memory is checked there. It is put together here from its instructions, so that what runs can be read.
 *
 *   scan(at, to, sum, mask): from the byte at `at` of its memory to before `to`, sum = 2 sum + GEAR[byte]
 *     -> the place behind the first byte at which `sum & mask` is 0; 0: there is none, and the sum lies at SUM_AT
 */

/** Of its memory: 256 values of four bytes, the sum that a scan ended with, and from CONTENT_AT on what is scanned. */
export const GEAR_AT = 0
export const SUM_AT = 1024
export const CONTENT_AT = 64 * 1024
/** Room for what is scanned. */
export const CONTENT_BYTES = 1024 * 1024
const MEMORY_PAGES = (CONTENT_AT + CONTENT_BYTES) / (64 * 1024)

/** Bytes to a turn of the loop; more gain nothing. */
const UNROLLED = 4

/** Numbers as WebAssembly writes them, seven bits to a byte (LEB128), and what is told by its length or count first. */
const unsigned = (n: number): number[] => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...unsigned(n >>> 7)])
const listed = (...items: number[][]): number[] => [...unsigned(items.length), ...items.flat()]
const sized = (...bytes: number[]): number[] => [...unsigned(bytes.length), ...bytes]
const named = (name: string): number[] => sized(...Buffer.from(name))

const I32 = 0x7f
const FUNCTION = 0x60
const NO_RESULT = 0x40
const END = 0x0b
/** Parameters of `scan`. */
const [AT, TO, SUM, MASK] = [0, 1, 2, 3] as const

const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
/** Sets it and keeps the value. */
const tee = (local: number): number[] => [0x22, local]
/** 0 to 63. */
const constant = (n: number): number[] => [0x41, n]
const loadByte = (offset: number): number[] => [0x2d, 0, ...unsigned(offset)]
const load = (offset: number): number[] => [0x28, 2, ...unsigned(offset)]
const store = (offset: number): number[] => [0x36, 2, ...unsigned(offset)]
const isZero = [0x45]
const isAtMost = [0x4d]
const add = [0x6a]
const and = [0x71]
const shiftLeft = [0x74]
const leave = [0x0f]
const when = (...body: number[][]): number[] => [0x04, NO_RESULT, ...body.flat(), END]
const loop = (...body: number[][]): number[] => [0x03, NO_RESULT, ...body.flat(), END]
const againIf = [0x0d, 0]

/** Takes in the byte `ahead` of AT; a block that may end behind it ends the scan. */
function step(ahead: number): number[] {
  const gear = [get(AT), loadByte(ahead), constant(2), shiftLeft, load(GEAR_AT)]
  const sum = [get(SUM), constant(1), shiftLeft, ...gear, add, tee(SUM)]
  return [...sum, get(MASK), and, isZero, when(get(AT), constant(ahead + 1), add, leave)].flat()
}

/** As long as there are so many bytes, takes them in and goes on behind them. */
function steps(bytes: number): number[] {
  const are = [get(AT), constant(bytes), add, get(TO), isAtMost].flat()
  const all = Array.from({ length: bytes }, (_, ahead) => step(ahead)).flat()
  return [...are, ...when(loop(all, get(AT), constant(bytes), add, set(AT), are, againIf))]
}

/** The module: it exports `scan` and its `memory`. */
export function gearCode(): Uint8Array<ArrayBuffer> {
  const end = [constant(0), get(SUM), store(SUM_AT), constant(0)].flat()
  const scan = [0, ...steps(UNROLLED), ...steps(1), ...end, END]
  const sections = [
    [1, listed([FUNCTION, ...listed([I32], [I32], [I32], [I32]), ...listed([I32])])],
    [3, listed([0])],
    [5, listed([0, ...unsigned(MEMORY_PAGES)])],
    [7, listed([...named('scan'), 0, 0], [...named('memory'), 2, 0])],
    [10, listed(sized(...scan))]
  ] as const
  const [magic, version] = [Buffer.from('\0asm'), [1, 0, 0, 0]]
  return Uint8Array.from([...magic, ...version, ...sections.flatMap(([id, body]) => [id, ...sized(...body)])])
}
