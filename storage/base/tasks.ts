import { ensureSameProgram, packedTasks } from './program.js'

/**
 * Tasks: named functions of plain values that run in another thread. A file `*.worker.ts` exports one registry:
 *
 *   export const hashing = defineTasks(import.meta.url, {
 *     async hashFile(input: { path: string }, ctx: TaskContext): Promise<string> { ... }
 *   })
 *
 * The caller imports the same registry (for its types and the address of the file) and says
 * `pool.run(hashing.hashFile, { path }, { signal })`. Nothing of it runs on the calling side.
 */
export interface TaskContext {
  /** Aborted when the caller's signal is. */
  readonly signal: AbortSignal
  /** Sends a plain value to the caller's `onEmit`: progress, pages of a stream. */
  emit(value: unknown): void
}

/** What a task sees that runs over a link (`WorkerPool.link`): it is also posted to while it runs. */
export interface LinkContext extends TaskContext {
  /** Takes what the caller posts, in order; what came before there was a listener is kept for the first one. */
  onPost(listener: (value: never) => void): void
}

// biome-ignore lint/suspicious/noExplicitAny: each task names its own input and output
export type TaskFunction = (...args: any[]) => unknown

export interface TaskAddress {
  readonly moduleUrl: string
  readonly taskName: string
}

const address = Symbol('task address')

/** Tags each function with its module and name; must be called once per file, its result exported as `tasks` or any one name. */
export function defineTasks<T extends Record<string, TaskFunction>>(moduleUrl: string, functions: T): Readonly<T> {
  for (const [taskName, fn] of Object.entries(functions)) {
    Object.defineProperty(fn, address, { value: { moduleUrl, taskName } satisfies TaskAddress })
    registry.set(`${moduleUrl}#${taskName}`, fn)
  }
  return Object.freeze(functions)
}

// One for all of a thread: a test's file of tasks brings `defineTasks` with it a second time, and not packed.
const REGISTRY = Symbol.for('spacedrive tasks')
const held = globalThis as { [REGISTRY]?: Map<string, TaskFunction> }
held[REGISTRY] ??= new Map()
const registry = held[REGISTRY]

/** @throws {TypeError} for a function that was not made by `defineTasks` */
export function addressOf(fn: TaskFunction): TaskAddress {
  const found = (fn as { [address]?: TaskAddress })[address]
  if (found === undefined)
    throw new TypeError(`${fn.name || 'a function'} is not a task: define it with defineTasks in a *.worker.ts file`)
  return found
}

/** On the worker's side: imports the file if need be and gives the function. @throws {SpacedriveError} PROGRAM_CHANGED */
export async function findTask({ moduleUrl, taskName }: TaskAddress): Promise<TaskFunction> {
  const key = `${moduleUrl}#${taskName}`
  if (!registry.has(key)) {
    const file = packedTasks(moduleUrl)
    if (file !== moduleUrl) ensureSameProgram()
    await import(file)
  }
  const fn = registry.get(key)
  if (fn === undefined) throw new TypeError(`${moduleUrl} defines no task ${taskName}`)
  return fn
}
