import {
  type AbortOptions,
  displayPath,
  errorCode,
  hasCode,
  parentOf,
  type RelPath,
  ROOT,
  toError,
  typed
} from '../../storage/base/index.js'
import type { Endpoint } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'

/** A folder that keeps what is in it from being looked at, in words. */
export interface ClosedFolder {
  readonly state: 'unknown'
  readonly text: string
  readonly advice: string
}

/** The topmost folder on the way to a path that cannot be read, or not be entered, at an end; undefined: none. */
export async function closedOn(
  path: RelPath,
  end: End,
  endpoint: Endpoint,
  options: AbortOptions
): Promise<ClosedFolder | undefined> {
  const way: RelPath[] = []
  for (let at = path; at !== ROOT; at = parentOf(at)) way.unshift(at)
  for (const next of way) {
    const folder = parentOf(next)
    const trouble = (await listTrouble(endpoint, folder, options)) ?? (await lookTrouble(endpoint, next, options))
    if (trouble === 'not there') return undefined
    if (trouble !== undefined) return told(end, `${endpoint.shown}${folder === ROOT ? '' : `/${folder}`}`, trouble)
  }
  return undefined
}

interface Trouble {
  readonly code: string
  readonly message: string
}

async function listTrouble(
  endpoint: Endpoint,
  folder: RelPath,
  options: AbortOptions
): Promise<Trouble | 'not there' | undefined> {
  try {
    for await (const _page of endpoint.list(folder, options)) break
    return undefined
  } catch (err) {
    options.signal?.throwIfAborted()
    if (hasCode(err, 'MISSING', 'NOT_A_DIRECTORY', 'LINK_IN_PATH')) return 'not there'
    return { code: errorCode(err), message: toError(err).message }
  }
}

async function lookTrouble(endpoint: Endpoint, path: RelPath, options: AbortOptions): Promise<Trouble | undefined> {
  const [look] = await endpoint.look([path], options)
  const problem = look?.problem ?? look?.entry?.problem
  return problem === undefined || problem.code === 'LINK_IN_PATH' ? undefined : problem
}

function told(end: End, folder: string, { code, message }: Trouble): ClosedFolder {
  const shown = displayPath(folder)
  return {
    state: 'unknown',
    text: `at the ${end} the folder ${shown} cannot be read, so what is in it is not known: ${message}`,
    advice: `${CURES[code]?.(typed(shown)) ?? 'See what the system says of that folder; the next run tries it again.'} Until then nothing in it is carried, and nothing is taken for deleted.`
  }
}

const CURES: Readonly<Record<string, (folder: string) => string>> = {
  NO_PERMISSION: folder =>
    `Give the user who runs spacedrive the right to read and to enter it: \`chmod u+rx ${folder}\` where it is his, else \`chown\` or an ACL.`,
  DISK_ERROR: () => 'Its disk reports errors: look at the system log, and copy what is on it elsewhere.'
}
