// A process that gives up root, so that permissions mean something, and then copies in a folder that its parent prepared.
// Prints one JSON line. A first copy loads all code into the threads before: the checkout may lie where nobody else may read.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { openCopies } from './fixture.js'

const NOBODY = 65534
const kit = await openCopies()
for (let i = 0; i < 1500; i++) {
  if (i % 500 === 0) mkdirSync(kit.at('warm', `${i}`), { recursive: true })
  writeFileSync(kit.at('warm', `${i - (i % 500)}`, `${i}`), 'x')
}
await kit.copy(['warm'], 'warmed')

mkdirSync(kit.at('from/open'), { recursive: true })
for (const name of ['from/a', 'from/secret', 'from/open/b']) writeFileSync(kit.at(name), name)
mkdirSync(kit.at('from/closed'))
writeFileSync(kit.at('from/closed/c'), 'c')
mkdirSync(kit.at('to/from/open'), { recursive: true })
mkdirSync(kit.at('nowhere'))
execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, kit.dir])
execFileSync('chown', ['0:0', kit.at('from/secret'), kit.at('from/closed'), kit.at('to/from/open'), kit.at('nowhere')])
execFileSync('chmod', ['600', kit.at('from/secret')])
execFileSync('chmod', ['700', kit.at('from/closed')])
process.setgroups!([])
process.setgid!(NOBODY)
process.setuid!(NOBODY)

const result = await kit.copy(['from'], 'to')
const refused = await kit.copy(['from/a'], 'nowhere').then(
  () => 'done',
  (err: { code: string }) => err.code
)
const problems = result.problems.map(p => `${p.path} ${p.code}`).sort()
process.stdout.write(`${JSON.stringify({ state: result.state, copied: result.copied, problems, refused })}\n`)
process.exit(0)
