import { createRequire } from 'node:module'

const SET_DESCRIPTOR_FLAGS = 2
const STANDARD = [0, 1, 2]

/**
 * Lets another program go on as this process, with its id, terminal and parent (execve, which Node lacks). For what can only
 * be said when a program begins. Nothing is flushed or closed first: called before anything was begun.
 * @param args - what follows the program's name
 * @returns only where it cannot be done, or would not be the same: text that was no UTF-8 cannot be handed on
 */
export function replaceProcess(program: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  if (process.platform !== 'linux' && process.platform !== 'darwin') return
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value ?? ''}`)
  if ([program, ...args, ...variables].some(text => text.includes('\ufffd'))) return
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const lib = koffi.load(null)
    const fcntl = lib.func('int fcntl(int, int, ...)')
    const execve = lib.func('int execve(const char *, const char **, const char **)')
    // Node has them closed for whatever it starts.
    for (const descriptor of STANDARD) fcntl(descriptor, SET_DESCRIPTOR_FLAGS, 'int', 0)
    execve(program, [program, ...args, null], [...variables, null])
  } catch {
    // no koffi for this platform
  }
}
