import { alikeStagingSuite } from './alike-staging-suite.js'
import { alikeSuite } from './alike-suite.js'
import { endpointSuite } from './endpoint-suite.js'
import { type LocalParts, localFixture, localParts } from './local-fixture.js'

describe('a local endpoint', () => {
  let parts: LocalParts
  before(async () => {
    parts = await localParts()
  })
  after(() => parts.close())
  endpointSuite(() => localFixture(parts))
  alikeSuite(() => localFixture(parts))
  alikeStagingSuite(() => localFixture(parts))
})
