import type { Sql, SqlValue } from './open.js'

/** Rows of one call at most. What the call itself takes is little of it then. A power of two. */
const ROWS = 64

/** A statement for many rows at once, which take a third of the time that they take row by row. */
export class RowStatement {
  readonly #columns: number
  readonly #text: (rows: string) => string
  /** By the number of rows. */
  readonly #texts = new Map<number, string>()

  /**
   * @param columns - of a row
   * @param text - of the statement; `rows` is what comes after VALUES
   */
  constructor(columns: number, text: (rows: string) => string) {
    this.#columns = columns
    this.#text = text
  }

  /** Runs it for all rows, in their order. @param values - of all of them, one row after the other */
  run(sql: Sql, values: readonly SqlValue[]): void {
    for (let at = 0, rows = ROWS; at < values.length; at += rows * this.#columns) {
      while (rows > 1 && at + rows * this.#columns > values.length) rows >>= 1
      sql.prepare(this.#textFor(rows)).run(values.slice(at, at + rows * this.#columns))
    }
  }

  #textFor(rows: number): string {
    let text = this.#texts.get(rows)
    if (text === undefined) {
      const row = `(${Array(this.#columns).fill('?').join(', ')})`
      text = this.#text(Array(rows).fill(row).join(', '))
      this.#texts.set(rows, text)
    }
    return text
  }
}
