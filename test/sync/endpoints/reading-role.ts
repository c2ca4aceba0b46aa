// A process that gives up root (so that permissions mean something) and looks at FOLDER, which its parent prepared. Prints one
// JSON line. All code is loaded before: the checkout may lie where nobody else may read.
import { errorCode, type RelPath } from '../../../storage/base/index.js'
import { bytesOf, gather, rel } from './gather.js'
import { localParts } from './local-fixture.js'

const NOBODY = 65534
const [folder = ''] = process.argv.slice(2)
const parts = await localParts()
const endpoint = await parts.open(folder as never)
await gather(endpoint.walk(rel('open'))) // the worker's code is loaded
process.setgroups!([])
process.setgid!(NOBODY)
process.setuid!(NOBODY)

const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    err => errorCode(err)
  )
const shown = (await gather(endpoint.walk(rel('')))).map(e => [e.path, e.unknown ?? e.stat.kind, e.problem?.code ?? ''])
const looked = await endpoint.look(['closed/x', 'open/secret'].map(p => p as RelPath))
const { files } = await endpoint.readPack([rel('open/secret')])
process.stdout.write(
  `${JSON.stringify({
    shown,
    looked: looked.map(l => l.entry?.unknown ?? l.entry?.stat.kind ?? l.problem?.code ?? 'nothing'),
    list: await codeOf(gather(endpoint.list(rel('closed')))),
    read: await codeOf(bytesOf(endpoint.read(rel('open/secret')))),
    packed: files[0]?.problem?.code,
    capabilities: await codeOf(endpoint.capabilities())
  })}\n`
)
process.exit(0)
