import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { type AbsPath, displayPath, type LibraryId, SpacedriveError } from '../base/index.js'
import { readFileBounded, writeFileAtomic } from '../files/index.js'

/** `library.json`: what a library is, readable without its database. Fields of later minor versions are kept as they are. */
const schema = z.looseObject({
  version: z.literal(1),
  id: z.uuid().transform(id => id as LibraryId),
  name: z.string().min(1).max(255),
  createdAt: z.number()
})

export type LibraryConfig = z.infer<typeof schema>

export const CONFIG_VERSION = 1
export const CONFIG_FILE = 'library.json'
export const FOLDER_SUFFIX = '.sdlibrary'
/** library.json holds a dozen short fields. */
const MAX_CONFIG_BYTES = 64 * 1024

/**
 * @throws {SpacedriveError} LIBRARY_NOT_FOUND when the folder holds no library.json, LIBRARY_NEWER, LIBRARY_DAMAGED
 */
export async function readLibraryConfig(folder: AbsPath): Promise<LibraryConfig> {
  const shown = displayPath(folder)
  const bytes = await readFileBounded(join(folder, CONFIG_FILE), MAX_CONFIG_BYTES)
  if (bytes === undefined) {
    throw new SpacedriveError('LIBRARY_NOT_FOUND', `there is no library in ${shown}: it holds no ${CONFIG_FILE}`, {
      hint: 'Give the folder whose name ends in .sdlibrary, or make one: spacedrive library create NAME'
    })
  }
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw damaged(shown, 'it is not JSON', cause)
  }
  const version = (value as { version?: unknown } | null)?.version
  if (typeof version === 'number' && version > CONFIG_VERSION) {
    throw new SpacedriveError('LIBRARY_NEWER', `the library ${shown} was made by a newer version of spacedrive`, {
      hint: 'Install the newer version on this device.'
    })
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw damaged(shown, z.prettifyError(parsed.error), parsed.error)
  return parsed.data
}

export async function writeLibraryConfig(folder: AbsPath, config: LibraryConfig): Promise<void> {
  await writeFileAtomic(join(folder, CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`, { mode: 0o644 })
}

export async function writeNewLibrary(folder: AbsPath, name: string, nowMs: number): Promise<void> {
  const id = randomUUID() as string as LibraryId
  await writeLibraryConfig(folder, { version: CONFIG_VERSION, id, name, createdAt: nowMs })
}

/**
 * The folder a library of that name gets.
 * @throws {SpacedriveError} LIBRARY_NAME when no file system would take it as a name
 */
export function folderName(name: string): string {
  const folder = `${name}${FOLDER_SUFFIX}`
  const bad =
    name.trim() !== name ||
    name === '' ||
    /[/\0\n]/.test(name) ||
    name.startsWith('.') ||
    Buffer.byteLength(folder) > 255
  if (!bad) return folder
  throw new SpacedriveError('LIBRARY_NAME', `a library cannot be called "${displayPath(name)}"`, {
    hint: 'Choose a name of 1 to 245 bytes without slashes, that does not begin with a dot or a space.'
  })
}

function damaged(folder: string, why: string, cause: unknown): SpacedriveError {
  return new SpacedriveError('LIBRARY_DAMAGED', `could not read ${CONFIG_FILE} of the library ${folder}: ${why}`, {
    cause,
    hint: `Run: spacedrive library rebuild "${folder}"`
  })
}
