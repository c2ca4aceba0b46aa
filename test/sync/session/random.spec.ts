import { openSync } from './fixture.js'
import { randomSuite, TIMEOUT_MS } from './random-suite.js'

describe('random edits on both sides of a sync', function () {
  this.timeout(TIMEOUT_MS)
  randomSuite(openSync)
})
