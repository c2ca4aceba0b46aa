import assert from 'node:assert/strict'
import { bringLarge } from '../../../sync/delta/index.js'

/** Work that ends when the test says so. */
class Desk {
  readonly begun: number[] = []
  readonly #ends = new Map<number, { resolve(): void; reject(err: Error): void }>()

  bring = (file: number): Promise<void> => {
    this.begun.push(file)
    return new Promise((resolve, reject) => this.#ends.set(file, { resolve, reject }))
  }
  end = (file: number): Promise<void> => this.#settle(file, e => e.resolve())
  fail = (file: number): Promise<void> => this.#settle(file, e => e.reject(new Error(`file ${file}`)))

  async #settle(file: number, how: (end: { resolve(): void; reject(err: Error): void }) => void): Promise<void> {
    how(this.#ends.get(file)!)
    await new Promise(setImmediate)
  }
}

describe('large files brought together', () => {
  it('two at a time, in their order, until all are there', async () => {
    const desk = new Desk()
    const all = bringLarge([1, 2, 3, 4], desk.bring)
    assert.deepEqual(desk.begun, [1, 2])
    await desk.end(2)
    assert.deepEqual(desk.begun, [1, 2, 3])
    await desk.end(1)
    assert.deepEqual(desk.begun, [1, 2, 3, 4])
    await desk.end(3)
    await desk.end(4)
    await all
  })

  it('one that fails: none begins any more, and what is under way has ended before that is told', async () => {
    const desk = new Desk()
    let told = false
    const all = bringLarge([1, 2, 3], desk.bring)
    const outcome = assert.rejects(all, { message: 'file 1' }).then(() => {
      told = true
    })
    await desk.fail(1)
    assert.ok(!told)
    await desk.fail(2)
    await outcome
    assert.deepEqual(desk.begun, [1, 2])
  })

  it('what is beside them fails: none begins any more', async () => {
    const desk = new Desk()
    const small = desk.bring(0)
    const all = bringLarge([1, 2, 3], desk.bring, [small])
    const outcome = assert.rejects(all, { message: 'file 0' })
    await desk.fail(0)
    await desk.end(1)
    await desk.end(2)
    await outcome
    assert.deepEqual(desk.begun, [0, 1, 2])
  })
})
