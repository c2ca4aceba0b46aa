import { NAME_END, NAME_START } from '../entries/index.js'

/** Words of a query beyond this say nothing more. */
export const MAX_WORDS = 16
/** Extensions beyond this are told from each other after the names were found. */
const MAX_ENDINGS = 16
/** A name has 255 bytes. */
export const MAX_QUERY = 255

/** How well a name fits, best first. */
export const FIT = { EXACT: 0, PREFIX: 1, WORD: 2, INSIDE: 3 } as const

/** Looked for one after another, until there are enough. */
export const TIERS = ['exact', 'prefix', 'words'] as const
export type Tier = (typeof TIERS)[number]

export const fitsTier = (fit: number, tier: Tier): boolean =>
  tier === 'exact' ? fit === FIT.EXACT : tier === 'prefix' ? fit === FIT.PREFIX : fit >= FIT.WORD

export interface Query {
  /** The whole text, lower case; empty when only filters count. */
  readonly text: string
  readonly words: readonly string[]
}

export function parseQuery(text: string): Query {
  const folded = text.trim().slice(0, MAX_QUERY).toLowerCase()
  return { text: folded, words: folded === '' ? [] : folded.split(/\s+/).slice(0, MAX_WORDS) }
}

/** How a name (lower case) fits; undefined: not at all. All words must be in it, in whatever order. */
export function fitOf(name: string, { text, words }: Query): number | undefined {
  if (words.length === 0) return FIT.INSIDE
  if (name === text) return FIT.EXACT
  if (name.startsWith(text)) return FIT.PREFIX
  let fit: number = FIT.WORD
  for (const word of words) {
    const at = name.indexOf(word)
    if (at < 0) return undefined
    if (!startsWord(name, word, at)) fit = FIT.INSIDE
  }
  return fit
}

function startsWord(name: string, word: string, first: number): boolean {
  for (let at = first; at >= 0; at = name.indexOf(word, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(name[at - 1]!)) return true
  }
  return false
}

/**
 * The trigrams that names of a tier must hold, as an FTS5 expression; undefined when the text is too short to have any.
 * The index keeps no positions, so that a name found by it is looked at once more.
 */
export function expressionOf(
  tier: Tier,
  { text, words }: Query,
  extensions: readonly string[] = []
): string | undefined {
  const parts = tier === 'exact' ? [NAME_START + text + NAME_END] : tier === 'prefix' ? [NAME_START + text] : words
  const terms = [...new Set(parts.flatMap(termsOf))].map(quoted)
  // Of an extension the last trigram: its end and that of the name.
  const endings = extensions.map(extension => quoted(trigramsOf(`.${extension}${NAME_END}`).at(-1)!))
  if (endings.length > 0 && endings.length <= MAX_ENDINGS) terms.push(`(${endings.join(' OR ')})`)
  return terms.length === 0 ? undefined : terms.join(' AND ')
}

/** Lists of names walked through for one part of a query. */
const MAX_TERMS = 4

/**
 * The trigrams looked for: the first, the last, and of the others those that go over a dot, a hyphen or digits, since they
 * tell names from each other. A few tell nearly as much as all, and each one more is another list to be walked through.
 */
export function termsOf(part: string): readonly string[] {
  const trigrams = trigramsOf(part)
  if (trigrams.length <= MAX_TERMS) return trigrams
  const inner = trigrams.slice(1, -1)
  const telling = inner.filter(t => !LETTERS.test(t))
  const others = telling.length > 0 ? telling : [inner[inner.length >> 1]!]
  const taken = Math.min(MAX_TERMS - 2, others.length)
  const spread = Array.from({ length: taken }, (_, i) => others[Math.floor(((i + 0.5) * others.length) / taken)]!)
  return [trigrams[0]!, ...spread, trigrams.at(-1)!]
}

/** A plain word. */
export const LETTERS = /^\p{L}+$/u

const quoted = (trigram: string): string => `"${trigram.replaceAll('"', '""')}"`

/** The tokens FTS5 makes of a text: every three characters in a row. */
function trigramsOf(text: string): string[] {
  const characters = Array.from(text)
  return characters.length < 3 ? [] : characters.slice(2).map((_, i) => characters.slice(i, i + 3).join(''))
}
