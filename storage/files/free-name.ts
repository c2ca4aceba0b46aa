import { type FileName, MAX_NAME_BYTES, pathBytes } from '../base/index.js'

/**
 * The name itself, then `stem (1).ext`, `stem (2).ext` ... The extension follows the last dot (a leading dot is none; a
 * directory has none); the stem is cut at a character where the whole would pass 255 bytes.
 */
export function* freeNames(name: FileName, isDirectory: boolean): Generator<FileName> {
  yield name
  const dot = isDirectory ? -1 : name.lastIndexOf('.')
  const stem = dot > 0 ? name.slice(0, dot) : name
  const ext = dot > 0 ? name.slice(dot) : ''
  for (let n = 1; ; n++) {
    const end = ` (${n})${ext}`
    yield (fits(`${stem}${end}`) ? `${stem}${end}` : cut(stem, ext, n)) as FileName
  }
}

function cut(stem: string, ext: string, n: number): string {
  // An extension that leaves no room for a stem is none.
  const [base, end] = fits(`_ (${n})${ext}`) ? [stem, ` (${n})${ext}`] : [stem + ext, ` (${n})`]
  const characters = Array.from(base)
  while (!fits(characters.join('') + end)) characters.pop()
  return characters.join('') + end
}

const fits = (name: string): boolean => pathBytes(name).length <= MAX_NAME_BYTES
