/** Names that come from outside (device names and the like), made harmless for screens, lists and logs (threats A18). */

/** What fits on a line beside other things. */
export const MAX_NAME_GRAPHEMES = 64
/** A grapheme can be endless (combining marks): bounds the whole, and what is looked at. */
export const MAX_SHOWN_NAME_BYTES = 255

/** Made by the first name: it costs 5 ms, and every command loads this file. */
let graphemes: Intl.Segmenter | undefined
/** Joins and picture forms that do not stand behind an emoji: there they are invisible and only make names differ. */
const STRAY_JOINS =
  /(?<!\p{Extended_Pictographic})\uFE0F|(?<!\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F)\u200D|\u200D$/gu
/** Controls, escapes, direction marks, private and unassigned characters, halves of surrogate pairs, and what looks like nothing. */
const HARMFUL =
  /(?!\u200D|\uFE0F)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|[\u2800\uFFFC\uFFFD]/gu

/**
 * Takes away what does something to a screen or pretends, normalises (NFC), and cuts at a grapheme: 64 of them and
 * `maxBytes` of UTF-8 at most. Empty when nothing is left. Its result is its own clean form.
 */
export function cleanName(text: string, maxBytes = MAX_SHOWN_NAME_BYTES): string {
  // Bounds the work before it begins: what lies far behind cannot be part of the result anyway, unless all before it goes.
  let plain = text.slice(0, 16 * MAX_SHOWN_NAME_BYTES)
  // Until nothing changes: what was taken out may have stood between two spaces, or kept two marks from joining.
  for (let before = ''; before !== plain; ) {
    before = plain
    plain = before.normalize('NFC').replace(/\s+/gu, ' ').replace(HARMFUL, '').replace(STRAY_JOINS, '').trim()
  }
  graphemes ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  let out = ''
  let bytes = 0
  let count = 0
  for (const { segment } of graphemes.segment(plain)) {
    bytes += Buffer.byteLength(segment)
    count += 1
    if (bytes > maxBytes || count > MAX_NAME_GRAPHEMES) break
    out += segment
  }
  return out.trim()
}
