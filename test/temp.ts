import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AbsPath } from '../storage/base/index.js'

/** A fresh folder for the running test (call inside it or in a hook); removed by `clean`. Real path, so comparisons hold. */
export function tempDir(prefix = 'sd-'): { path: AbsPath; clean(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), prefix))) as AbsPath
  return { path, clean: () => rmSync(path, { recursive: true, force: true }) }
}
