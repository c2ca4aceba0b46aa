// A process that keeps two folders in step, gives up root, so that permissions mean something, and then runs a session for
// each line it is sent; what its parent does to the folders before is the test. Answers with a JSON line each.
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Mode } from '../../../sync/reconcile/index.js'
import { openSync } from './fixture.js'

const NOBODY = 65534
const [, , at, mode] = process.argv
const fixture = await openSync({ at: at!, mode: mode as Mode })
const { source } = fixture
const put = (path: string, text = path): void => {
  mkdirSync(join(source, path, '..'), { recursive: true })
  writeFileSync(join(source, path), text)
}

for (let i = 0; i < 200; i++) put(`warm/${i % 4}/${i}`)
for (const path of [
  'a',
  'open/b',
  'closed/c',
  'closed/deep/d',
  'secret',
  'locked/e',
  'locked/f',
  'sticky/g',
  'sticky/h'
])
  put(path)
await fixture.run()
// Everything that a session can do, so that nothing is left to be loaded.
for (let i = 0; i < 50; i++) put(`warm/0/${i * 4}`, 'edited')
renameSync(join(source, 'warm/1/1'), join(source, 'aside'))
renameSync(join(source, 'warm/1/5'), join(source, 'warm/1/1'))
renameSync(join(source, 'aside'), join(source, 'warm/1/5'))
await fixture.run()
rmSync(join(source, 'warm/2'), { recursive: true })
await fixture.run()
execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, at!])
process.setgroups!([])
process.setgid!(NOBODY)
process.setuid!(NOBODY)

process.stdout.write('ready\n')
for await (const _ of createInterface({ input: process.stdin })) {
  const answer = await fixture.run().then(
    outcome => ({
      state: outcome.state,
      operations: outcome.state === 'done' ? outcome.plan.operations : undefined,
      problems: outcome.state === 'done' ? outcome.result.problems : []
    }),
    (err: { code: string; message: string }) => ({ state: 'failed', code: err.code, message: err.message })
  )
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
await fixture.close()
