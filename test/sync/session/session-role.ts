// A process that opens a sync in a folder, says so, and runs one session when it is told to; its parent may kill it.
import { once } from 'node:events'
import type { Mode } from '../../../sync/reconcile/index.js'
import { openSync } from './fixture.js'

const [, , at, mode, batchSteps] = process.argv
const fixture = await openSync({ at: at!, mode: mode as Mode })
process.stdout.write('ready\n')
await once(process.stdin, 'data')
const outcome = await fixture.run(batchSteps === undefined ? {} : { batchSteps: Number(batchSteps) })
process.stdout.write(`${outcome.state}\n`)
process.exit(0)
