import { z } from 'zod'
import { defineJob, inBatches, nonFatal } from '../../../storage/jobs/index.js'

/** A whole job, to show how little one takes: adds numbers up in batches, complains of odd ones, then checks the sum. */
export function countingJob(each: (n: number) => Promise<void> = async () => {}) {
  return defineJob({
    kind: 'count',
    summary: 'adds the numbers from 1 to N up',
    version: 1,
    input: z.strictObject({
      to: z.number().int().min(1).max(1_000_000),
      batch: z.number().int().min(1).default(10),
      complain: z.boolean().default(false)
    }),
    title: ({ to }) => `count to ${to}`,
    state: () => ({ next: 0, sum: 0 }),
    phases: ({ to, batch, complain }) => [
      {
        name: 'Counting',
        async execute(ctx) {
          const numbers = Array.from({ length: to }, (_, i) => i + 1)
          await inBatches(ctx, numbers, {
            size: batch,
            start: ctx.state.next,
            async each(n) {
              await each(n)
              ctx.state.sum += n
              if (complain && n % 2 === 1) ctx.problem({ path: `${n}`, code: 'ODD', message: `${n} is odd` })
            },
            done(next) {
              ctx.state.next = next
            }
          })
        }
      },
      {
        name: 'Checking',
        when: () => complain,
        async execute(ctx) {
          ctx.log(`the sum is ${ctx.state.sum}`)
          if (ctx.state.sum !== (to * (to + 1)) / 2) throw nonFatal('SUM', 'the sum is wrong')
        }
      }
    ],
    output: ({ sum }) => ({ sum })
  })
}
