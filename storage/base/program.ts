import { readFileSync } from 'node:fs'
import { isMainThread, workerData } from 'node:worker_threads'
import { hasCode, SpacedriveError } from './errors.js'

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

/**
 * What a thread is told of the process that begins it. An update replaces the files of the program under a daemon that runs: what
 * a thread loads after that is another build, or not there.
 */
export interface ThreadData {
  /** Of the program that the process runs. */
  readonly build: string | undefined
}

export const THREAD_DATA: ThreadData = {
  build: isMainThread ? buildOnDisk() : (workerData as ThreadData | null)?.build
}

/** To be called before a thread loads a part of the program. @throws {SpacedriveError} PROGRAM_CHANGED: it would not go with what runs */
export function ensureSameProgram(): void {
  if (THREAD_DATA.build !== undefined && buildOnDisk() !== THREAD_DATA.build) throw programChanged()
}

/** A part of the program that is loaded when it is needed. @throws {SpacedriveError} PROGRAM_CHANGED: it is not there any more */
export async function loaded<T>(part: Promise<T>): Promise<T> {
  try {
    return await part
  } catch (err) {
    throw isNotThere(err) ? programChanged(err) : err
  }
}

/** Why a thread ended that nobody ended. */
export function threadDied(cause: unknown): SpacedriveError {
  if (isNotThere(cause)) return programChanged(cause)
  return new SpacedriveError('WORKER_DIED', 'a worker thread ended unexpectedly', { cause })
}

const isNotThere = (err: unknown): boolean => hasCode(err, 'ERR_MODULE_NOT_FOUND')

function programChanged(cause?: unknown): SpacedriveError {
  return new SpacedriveError('PROGRAM_CHANGED', 'spacedrive was updated or removed while this daemon runs', {
    hint: 'Use `spacedrive restart`: everything goes on where it stood.',
    cause
  })
}

/** Written by scripts/pack.mjs: the same for the same files. */
function buildOnDisk(): string | undefined {
  try {
    return readFileSync(packedUrl('build'), 'latin1')
  } catch {
    return undefined
  }
}
