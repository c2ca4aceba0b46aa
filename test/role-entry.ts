// One role of a scenario as a process of its own (see scenario.ts): loads the spec file, whose `scenario` call plays the role.
import './setup.js'
import { pathToFileURL } from 'node:url'

const nothing = (): void => {}
Object.assign(globalThis, {
  describe: (_title: string, body: () => void) => body(),
  it: nothing,
  before: nothing,
  after: nothing,
  beforeEach: nothing,
  afterEach: nothing
})
await import(pathToFileURL(process.argv[2]!).href)
