import { join } from 'node:path'
import { acquireLock } from '../../../storage/sql/index.js'

// Holds the lock of a library until it is killed.
acquireLock(join(process.argv[2]!, '.sdlibrary.lock'), 'the library')
process.send?.('locked')
setInterval(() => {}, 1_000)
