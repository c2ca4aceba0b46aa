import type { Endpoint } from '../../../sync/endpoints/index.js'
import { blocksSuite } from './blocks-suite.js'
import type { TreeBehind } from './folder.js'
import { lookingSuite } from './looking-suite.js'
import { readingSuite } from './reading-suite.js'
import { writingSuite } from './writing-suite.js'

/** One endpoint on an empty tree, for one test. */
export interface EndpointFixture {
  readonly endpoint: Endpoint
  readonly tree: TreeBehind
  /** Another endpoint on the same tree: after a restart. */
  reopen(): Promise<Endpoint>
  /** From now on this path is one of the program's own. */
  ours(path: string): void
  close(): Promise<void>
}

export type MakeEndpoint = () => Promise<EndpointFixture>

/**
 * What every endpoint promises (docs/endpoint.md), checked against real trees. To be called within a `describe`; `make` is
 * called before each test.
 */
export function endpointSuite(make: MakeEndpoint): void {
  let fixture: EndpointFixture
  beforeEach(async () => {
    fixture = await make()
  })
  afterEach(() => fixture.close())
  const here = (): EndpointFixture => fixture
  lookingSuite(here)
  readingSuite(here)
  writingSuite(here)
  blocksSuite(here)
}
