/** A process that gives up root, so that permissions mean something; the group is named where that cannot be. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The user and group that may do nothing. */
export const NOBODY = 65534

/**
 * `describe` for a group that runs `role`, which gives up root. Threads load code when they first need it: whoever gave up root
 * has to be able to read it. @param missing - why the group cannot run for another reason
 */
export function withoutRoot(
  title: string,
  role: string,
  body: (this: Mocha.Suite) => void,
  missing: string | undefined = rightsMissing(role)
): void {
  if (missing === undefined) describe(title, body)
  else process.stderr.write(`\n  NOT RUN: "${title}": ${missing}\n\n`)
}

/** Undefined when a process can give up root here and read its code then, else why not. */
export function rightsMissing(role: string): string | undefined {
  if (process.getuid?.() !== 0) return 'giving up root needs root'
  const code = [role, fileURLToPath(import.meta.resolve('better-sqlite3'))]
  const look = `process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY});
    for (const path of ${JSON.stringify(code)}) require('node:fs').readFileSync(path)`
  const { status } = spawnSync(process.execPath, ['-e', look], { cwd: '/', stdio: 'ignore' })
  return status === 0 ? undefined : 'the checkout lies where nobody else may read'
}
