import { isPlainUtf8, pathBytes } from '../../storage/base/index.js'

/** What matters of the folder that receives: its file system, found by trying (PEERS 7: the receiver judges). */
export interface FolderFacts {
  /** The longest name it takes, bytes. */
  readonly maxNameBytes: number
  /** `A` and `a` are one name there. */
  readonly foldsCase: boolean
  /** `é` written two ways is one name there. */
  readonly foldsUnicode: boolean
  readonly windows: boolean
}

export interface Refusal {
  readonly code: 'NAME_REFUSED' | 'NAME_TOO_LONG' | 'NAME_TAKEN'
  readonly message: string
}

/** Controls, what turns the direction of text, line and paragraph ends, and the invisible byte order mark. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/
const WINDOWS_DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i
const WINDOWS_ILLEGAL = /[<>:"|?*\\]|[. ]$/

/** Judges one name of an offer by itself; its form (no `..`, no NUL) is checked before. @returns why it cannot be taken */
export function judgeName(name: string, folder: FolderFacts): Refusal | undefined {
  if (!isPlainUtf8(name)) return refused('its name is not valid UTF-8')
  if (UNSAFE.test(name)) return refused('its name has control characters')
  if (folder.windows && WINDOWS_DEVICE.test(name)) return refused('its name means a device on Windows')
  if (folder.windows && WINDOWS_ILLEGAL.test(name)) return refused('Windows does not allow its name')
  // What this program keeps beside people's files: never taken from anybody.
  if (name === '.spacedrive' || name.startsWith('.spacedrive-tmp-')) return refused('its name is kept for this program')
  const { length } = pathBytes(name)
  if (length > folder.maxNameBytes) {
    return {
      code: 'NAME_TOO_LONG',
      message: `its name has ${length} bytes, this disk takes ${folder.maxNameBytes}`
    }
  }
  return undefined
}

/** Equal for names that this folder cannot tell apart. */
export function foldName(name: string, { foldsCase, foldsUnicode }: FolderFacts): string {
  const form = foldsUnicode ? name.normalize('NFC') : name
  // Upper case first: letters whose capitals are equal (`ß`, `ſ`) fold on the file systems that fold at all.
  return foldsCase ? form.toUpperCase().toLowerCase() : form
}

export function foldsAnything(folder: FolderFacts): boolean {
  return folder.foldsCase || folder.foldsUnicode
}

function refused(message: string): Refusal {
  return { code: 'NAME_REFUSED', message }
}
