import { openSync } from './fixture.js'
import { randomSuite } from './random-suite.js'

describe('random edits on both sides of a sync', () => {
  randomSuite(openSync)
})
