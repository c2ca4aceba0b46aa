/**
 * Where a text stops being JSON: V8 does not always say. Returns the offset of the first character that cannot stand where
 * it stands, or the length when the text ends too early.
 */
export function jsonErrorOffset(text: string): number {
  let at = 0
  class Stop extends Error {}
  const fail = (): never => {
    throw new Stop()
  }
  const space = (): void => {
    while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++
  }
  const take = (pattern: RegExp): void => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) fail()
    else at += match[0].length
  }
  const list = (close: string, item: () => void): void => {
    at++
    space()
    if (text[at] === close) {
      at++
      return
    }
    for (;;) {
      item()
      space()
      if (text[at] === close) {
        at++
        return
      }
      if (text[at] !== ',') fail()
      at++
      space()
    }
  }
  const string = (): void => take(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y)
  const value = (): void => {
    space()
    const c = text[at]
    if (c === '{') {
      list('}', () => {
        string()
        space()
        if (text[at] !== ':') fail()
        at++
        value()
      })
    } else if (c === '[') list(']', value)
    else if (c === '"') string()
    else take(/true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y)
  }
  try {
    value()
    space()
  } catch (err) {
    if (!(err instanceof Stop) && !(err instanceof RangeError)) throw err
  }
  return at
}

/** Line and column, both from 1, as editors count. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: before.at(-1)!.length + 1 }
}
