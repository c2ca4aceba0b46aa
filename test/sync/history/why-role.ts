// A process that keeps two folders in step, gives up root, so that permissions mean something, closes folders, and tells why
// what is in them is as it is: a line of JSON for each.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath, RelPath } from '../../../storage/base/index.js'
import { NOBODY } from '../../unprivileged.js'
import { openHistory } from './fixture.js'

const at = process.argv[2] as AbsPath
const fixture = await openHistory({ mode: 'bidirectional', at })
const inSource = (path: string): string => join(fixture.source, path)
for (const folder of ['not entered/deep', 'not listed']) mkdirSync(inSource(folder), { recursive: true })
for (const path of ['not entered/deep/f', 'not listed/f', 'open']) writeFileSync(inSource(path), 'content')
await fixture.run()
const why = async (path: string): Promise<void> => {
  const { state, text, advice } = await fixture.history.why(fixture.sync(), path as RelPath)
  process.stdout.write(`${JSON.stringify({ state, text, advice: advice ?? '' })}\n`)
}
await why('not listed/f') // its code is loaded before root is given up
execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, at])
process.setgroups!([])
process.setgid!(NOBODY)
process.setuid!(NOBODY)
writeFileSync(inSource('not listed/f'), 'edited since')
chmodSync(inSource('not entered'), 0o600)
chmodSync(inSource('not listed'), 0o300)
for (const path of ['not entered/deep/f', 'not listed/f', 'open']) await why(path)
await fixture.close()
