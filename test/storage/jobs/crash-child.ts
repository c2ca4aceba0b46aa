// A daemon of one job, to be killed at any moment: `crash-child.js DATABASE [COUNT]`. Says each line when it is true.
import { fsyncSync, openSync, writeSync } from 'node:fs'
import { z } from 'zod'
import { defineJob, inBatches } from '../../../storage/jobs/index.js'
import { openJobs } from './fixture.js'

const [file, to] = process.argv.slice(2)

/** Adds lines to a file; how far it got is known from the state alone. */
const writing = defineJob({
  kind: 'writing',
  summary: 'writes numbers',
  version: 1,
  input: z.strictObject({ file: z.string(), to: z.number() }),
  state: () => ({ next: 0, phases: [] as string[] }),
  phases: ({ file, to }) => [
    { name: 'Opening', execute: async ctx => void ctx.state.phases.push('Opening') },
    {
      name: 'Group',
      phases: [
        {
          name: 'Writing',
          async execute(ctx) {
            const out = openSync(file, 'a')
            await inBatches(ctx, Array.from({ length: to }), {
              size: 7,
              start: ctx.state.next,
              async each(_, i) {
                writeSync(out, `${i}\n`)
                if (i % 5 === 0) fsyncSync(out)
              },
              done(next) {
                ctx.state.next = next
                process.stdout.write(`checkpoint ${next}\n`)
              }
            })
          }
        }
      ]
    },
    { name: 'Closing', execute: async ctx => void ctx.state.phases.push('Closing') }
  ],
  output: state => ({ next: state.next, phases: state.phases })
})

const { jobs, close } = await openJobs(file!, [writing] as never)
const found = jobs.list()[0]
const id = found?.id ?? (await jobs.dispatch(writing, { file: `${file}.out`, to: Number(to) })).id
process.stdout.write(`job ${id}\n`)
if (jobs.info(id).state === 'paused') await jobs.resume(id)
const outcome = await jobs.outcome(id)
process.stdout.write(`outcome ${JSON.stringify(outcome)}\n`)
await close()
