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
 * What every endpoint promises (docs/endpoint.md), checked against a folder here, a folder of another device and a tree in memory. To be
 * called within a `describe`; `make` is called before each test. `alikeSuite` asks an end and a tree in memory the same at random.
 *
 * What only a real file system does is not in it: mounts, directories that are swapped for links while they are gone through
 * (`local-hard.spec.ts`), users without rights (`reading-role.ts`), a power cut and a full disk (test/storage/files).
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
