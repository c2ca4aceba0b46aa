import { endpointSuite } from './endpoint-suite.js'
import { memoryFixture } from './memory/fixture.js'

describe('a tree in memory as an endpoint', () => {
  endpointSuite(memoryFixture)
})
