/** Where the compiler's output lies. A packed module (scripts/pack.mjs) keeps the address that it has there. */
const DIST = new URL('../../', import.meta.url).href
const LAYERS = /^(node|protocols|sync|storage)\//

/**
 * The packed form of what begins a process or a thread, or is loaded by one: it and all that it needs in a few files, where the
 * compiler's output is hundreds (docs/decisions/179).
 * @param path - of the compiled file below `dist/`, one of those that scripts/pack.mjs packs
 */
export const packedUrl = (path: string): URL => new URL(`program/${path.replaceAll('/', '.')}`, DIST)

/** Of a file of tasks. What is not the program's own, a test's say, is loaded as it is. */
export function packedTasks(moduleUrl: string): string {
  const path = moduleUrl.startsWith(DIST) ? moduleUrl.slice(DIST.length) : ''
  return LAYERS.test(path) ? packedUrl(path).href : moduleUrl
}
