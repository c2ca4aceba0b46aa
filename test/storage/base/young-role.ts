// A process that was started as a daemon is, and says how large the young heap of one of its threads is when much was made
// in it, and how large the old one was at most while much in it came and went.
import { flagsWereOurs, workerPool } from '../../../storage/base/index.js'
import { counting } from './counting.worker.js'

flagsWereOurs()
const pool = workerPool(1)
const youngMiB = await pool.run(counting.youngAfterLitter, null)
const old = await pool.run(counting.churn, null)
await pool.close()
process.send!({ youngMiB, ...old }, () => process.disconnect())
