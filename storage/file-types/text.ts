/** Text or not, by the head of a file: what no magic number tells. */
export interface TextFacts {
  /** `utf-8`, `utf-16le`, `utf-16be`; undefined: not text. */
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1' | undefined
  /** Interpreter of a `#!` line: `bash`, `python3`. */
  readonly interpreter?: string
}

/** Above this share of control characters it is no text. */
const MAX_CONTROL_SHARE = 0.02

/** @param head - the first bytes of the file; `whole` when that is all of it (a cut may fall into a character) */
export function analyseText(head: Uint8Array, whole = false): TextFacts {
  if (head.length === 0) return { encoding: undefined }
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le' }
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be' }
  let control = 0
  let high = 0
  for (const byte of head) {
    if (byte === 0) return { encoding: undefined }
    if (byte >= 0x80) high++
    else if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x0c && byte !== 0x1b) control++
  }
  if (control > head.length * MAX_CONTROL_SHARE) return { encoding: undefined }
  const encoding = isUtf8(head, whole) ? 'utf-8' : high < head.length * 0.3 ? 'latin1' : undefined
  if (encoding === undefined) return { encoding }
  const interpreter = interpreterOf(head)
  return interpreter === undefined ? { encoding } : { encoding, interpreter }
}

function isUtf8(head: Uint8Array, whole: boolean): boolean {
  try {
    // `stream` lets an unfinished last character pass.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: !whole })
    return true
  } catch {
    return false
  }
}

function interpreterOf(head: Uint8Array): string | undefined {
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined
  const line = Buffer.from(head.subarray(2, 128)).toString('latin1').split('\n')[0]!.trim().split(/\s+/)
  const program = line[0]?.endsWith('/env')
    ? line.find((w, i) => i > 0 && !w.startsWith('-') && !w.includes('='))
    : line[0]
  return program?.split('/').at(-1)
}
