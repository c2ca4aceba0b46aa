import { type AbsPath, eventBus, silentLog, systemClock, workerPool } from '../../../storage/base/index.js'
import { openInstance } from '../../../storage/instance/index.js'
import { volumes } from '../../../storage/volumes/index.js'

// Measures a disk with more than it can write before somebody kills it.
const [data, place] = process.argv.slice(2) as [string, AbsPath]
const database = await openInstance(data as AbsPath)
const service = volumes({ database, events: eventBus(), clock: systemClock, pool: workerPool(1), log: silentLog })
await service.speedTest(place, { bytes: 2 ** 30 })
