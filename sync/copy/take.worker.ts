import { defineTasks, type TaskContext } from '../../storage/base/index.js'
import { type CopierInit, copierHere } from '../../storage/files/index.js'
import { Taker } from './take.js'
import type { CheckInput, TakeInput, TakeOutput } from './taking.js'

export const taking = defineTasks(import.meta.url, {
  /** Looks at a page of what was found, decides, and stages what is to be copied. Emits bytes of large files on the way. */
  async take(input: TakeInput & CopierInit, ctx: TaskContext): Promise<TakeOutput> {
    const copier = copierHere(input)
    try {
      return await new Taker(copier, input, { signal: ctx.signal, bytes: n => ctx.emit(n) }).run()
    } finally {
      copier.close()
    }
  },

  /** Reads back what was staged, from the disk. @returns which of them do not hold what was read from the source */
  async check(input: CheckInput & CopierInit, ctx: TaskContext): Promise<number[]> {
    const copier = copierHere(input)
    const wrong: number[] = []
    try {
      for (const [i, { staged, path, hash }] of input.files.entries()) {
        ctx.signal.throwIfAborted()
        const wanted = hash ?? (await copier.hash('source', path, ctx.signal))
        if ((await copier.hash('staged', staged, ctx.signal)) !== wanted) wrong.push(i)
      }
      return wrong
    } finally {
      copier.close()
    }
  }
})
