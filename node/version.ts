import { readFileSync } from 'node:fs'

/** The version of this package, read from its package.json (which lies two folders above the compiled file). */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version
