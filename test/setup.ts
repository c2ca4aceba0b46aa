import '../node/shim.js'

// A promise that nobody waits for and that fails is a defect of the program: it fails the run.
process.on('unhandledRejection', reason => {
  throw reason
})
