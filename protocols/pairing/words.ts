/** The home of bip39: a code as twelve words, four words to compare, and typing errors named by their place. */
import { createRequire } from 'node:module'
import { ENTROPY_BYTES } from './derive.js'
import { pairingError } from './errors.js'

export const CODE_WORDS = 12
export const COMPARE_WORDS = 4
type Bip39 = typeof import('bip39')
const require = createRequire(import.meta.url)
let loaded: { bip39: Bip39; list: readonly string[]; known: ReadonlySet<string> } | undefined

/** Loaded with the first code: it brings the words of ten languages, 25 ms that no start should wait for. */
function dictionary(): NonNullable<typeof loaded> {
  if (loaded === undefined) {
    const bip39 = require('bip39') as Bip39
    const list = bip39.wordlists.english!
    loaded = { bip39, list, known: new Set(list) }
  }
  return loaded
}

/** No two words of the list share their first four letters (BIP39), so four letters name a word. */
const UNIQUE_PREFIX_LETTERS = 4
/** More than this cannot be a slip of twelve words: it is not even split. */
const MAX_INPUT_CHARS = 1_024
const MAX_SUGGESTIONS = 3

export function wordsOf(entropy: Uint8Array): string {
  return dictionary().bip39.entropyToMnemonic(Buffer.from(entropy))
}

/**
 * Takes what a person typed: any case, any spaces, commas or hyphens between, look-alike forms (NFKD), and words cut after
 * four or more letters as long as they are the beginning of one word. The text of the error never repeats what was typed.
 * @throws {SpacedriveError} BAD_WORDS; `details.position` (from 1) and `details.suggestions` where one word is the reason
 */
export function parseWords(typed: string): { entropy: Uint8Array; words: string } {
  if (typed.length > MAX_INPUT_CHARS) throw pairingError('BAD_WORDS', `a code is ${CODE_WORDS} words; this is too long`)
  const tokens = typed
    .normalize('NFKD')
    .toLowerCase()
    .split(/[\s,;-]+/u)
    .filter(token => token !== '')
  const words = tokens.map((token, i) => wordAt(token, i + 1))
  if (words.length !== CODE_WORDS) {
    throw pairingError('BAD_WORDS', `a code has ${CODE_WORDS} words, but ${words.length} were given`, {
      hint: words.length < CODE_WORDS ? 'Look whether a word was left out.' : 'Look whether a word was typed twice.',
      details: { count: words.length }
    })
  }
  const canonical = words.join(' ')
  try {
    return {
      entropy: new Uint8Array(Buffer.from(dictionary().bip39.mnemonicToEntropy(canonical), 'hex')),
      words: canonical
    }
  } catch {
    throw pairingError('BAD_WORDS', 'these are words of the list, but they do not fit together', {
      hint: 'One of them is another word than the one shown, or two are in the wrong order. Compare them one by one.'
    })
  }
}

function wordAt(token: string, position: number): string {
  const { list, known } = dictionary()
  if (known.has(token)) return token
  if (token.length >= UNIQUE_PREFIX_LETTERS) {
    const begun = list.filter(word => word.startsWith(token))
    if (begun.length === 1) return begun[0]!
  }
  const suggestions = nearWords(token)
  throw pairingError('BAD_WORDS', `word ${position} is not one of the words a code is made of`, {
    hint:
      suggestions.length === 0
        ? `Look at word ${position} on the other screen again.`
        : `Did you mean ${suggestions.map(word => `"${word}"`).join(' or ')}?`,
    details: { position, suggestions }
  })
}

/** The words of the list that are nearest, at most two slips away; first those that begin alike. */
export function nearWords(token: string): string[] {
  if (token.length > 16) return []
  const scored = dictionary()
    .list.map(word => ({
      word,
      slips: word.startsWith(token) ? 0.5 : distance(token, word),
      alike: word[0] === token[0] ? 0 : 1
    }))
    .filter(({ slips }) => slips <= 2)
  scored.sort((a, b) => a.slips - b.slips || a.alike - b.alike || (a.word < b.word ? -1 : 1))
  const best = scored[0]?.slips ?? 0
  return scored
    .filter(({ slips }) => slips <= Math.max(best, 1))
    .slice(0, MAX_SUGGESTIONS)
    .map(({ word }) => word)
}

/** Damerau-Levenshtein (letters next to each other swapped count once), over words of at most 16 letters. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, rows[i - 2]![j - 2]! + 1)
      row.push(least)
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}

/** The first 44 bits as four words: what both screens show. */
export function compareWords(bytes: Uint8Array): string {
  const { list } = dictionary()
  let bits = 0n
  for (const byte of bytes.subarray(0, 8)) bits = (bits << 8n) | BigInt(byte)
  return Array.from({ length: COMPARE_WORDS }, (_, i) => list[Number((bits >> BigInt(53 - 11 * i)) & 0x7ffn)]!).join(
    ' '
  )
}

export { ENTROPY_BYTES }
