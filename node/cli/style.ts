import { randomBytes } from 'node:crypto'
import { displayText } from '../../storage/base/index.js'

/**
 * Text for a terminal. Everything is escaped, wherever it came from (a name, a drop, an error of a peer); colours are put
 * in afterwards: `bold` and `color` leave marks that nobody else can make, since they hold a secret of this process.
 */
const SECRET = randomBytes(8).toString('hex')
const MARK = new RegExp(`\\ufdd0${SECRET}:(\\d+)\\ufdd1`, 'g')

const COLORS = { red: 31, green: 32, yellow: 33, cyan: 36 } as const
export type Color = keyof typeof COLORS

export interface Style {
  bold(text: string): string
  dim(text: string): string
  color(name: Color, text: string): string
}

const mark = (sgr: number): string => `\ufdd0${SECRET}:${sgr}\ufdd1`

export const style: Style = {
  bold: text => `${mark(1)}${text}${mark(22)}`,
  dim: text => `${mark(2)}${text}${mark(22)}`,
  color: (name, text) => `${mark(COLORS[name])}${text}${mark(39)}`
}

/** Escaped, with the marks made real, or taken out where there are no colours. */
export function paint(text: string, colors: boolean): string {
  return displayText(text).replace(MARK, (_all, sgr: string) => (colors ? `\u001b[${sgr}m` : ''))
}

/** Columns that the text takes on a terminal. */
export function width(text: string): number {
  let columns = 0
  for (const c of displayText(text).replace(MARK, '')) columns += columnsOf(c.codePointAt(0)!)
  return columns
}

/** At most `columns` wide; what is left out is shown by `…`. Marks are taken out of a text that is cut. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text
  if (columns < 1) return ''
  let out = ''
  let used = 1
  for (const c of displayText(text).replace(MARK, '')) {
    used += columnsOf(c.codePointAt(0)!)
    if (used > columns) break
    out += c
  }
  return `${out}…`
}

/** 2 for the wide blocks of East Asian scripts and emoji, 0 for combining marks; near enough to line up columns. */
function columnsOf(code: number): number {
  if ((code >= 0x300 && code < 0x370) || (code >= 0x200b && code < 0x2010) || (code >= 0xfe00 && code < 0xfe10))
    return 0
  const wide =
    (code >= 0x1100 && code < 0x1160) ||
    (code >= 0x2e80 && code < 0xa4d0) ||
    (code >= 0xac00 && code < 0xd7a4) ||
    (code >= 0xf900 && code < 0xfb00) ||
    (code >= 0xfe30 && code < 0xfe70) ||
    (code >= 0xff00 && code < 0xff61) ||
    (code >= 0x1f300 && code < 0x1faff) ||
    (code >= 0x20000 && code < 0x3fffe)
  return wide ? 2 : 1
}
