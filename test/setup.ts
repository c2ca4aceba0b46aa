import fc from 'fast-check'
import '../node/shim.js'

/**
 * The same cases of each property at every run, so that a failure is that of the change at hand. A long search
 * (SPACEDRIVE_RUNS, as `npm run nightly` sets it) takes new ones each time; SPACEDRIVE_SEED names them for all.
 */
const { SPACEDRIVE_RUNS: long, SPACEDRIVE_SEED: seed } = process.env
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })
else if (long === undefined) fc.configureGlobal({ seed: 1 })

// What a new file may be is part of what is compared; whoever runs the tests may have said otherwise.
process.umask(0o022)

// A promise that nobody waits for and that fails is a defect of the program: it fails the run.
process.on('unhandledRejection', reason => {
  throw reason
})
