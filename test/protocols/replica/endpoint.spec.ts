import { alikeStagingSuite } from '../../sync/endpoints/alike-staging-suite.js'
import { alikeSuite } from '../../sync/endpoints/alike-suite.js'
import { endpointSuite } from '../../sync/endpoints/endpoint-suite.js'
import { type ReplicaPair, remoteFixture, replicaPair } from './fixture.js'

describe('a folder of a paired device as an endpoint', () => {
  let pair: ReplicaPair
  before(async () => {
    pair = await replicaPair()
  })
  after(() => pair.stop())
  endpointSuite(() => remoteFixture(pair))
  alikeSuite(() => remoteFixture(pair))
  alikeStagingSuite(() => remoteFixture(pair))
})
