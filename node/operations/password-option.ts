import { SpacedriveError } from '../../storage/base/index.js'
import type { Terminal, Typed } from './operation.js'
import { resolveTyped } from './typed-path.js'

/** `--password` takes no value: a password in the arguments would stand in the process list and the shell's history. */
export function passwordOptions(meaning: string): readonly (readonly [string, string])[] {
  return [
    ['--password', meaning],
    ['--password-file <file>', 'take the password from the first line of this file']
  ]
}

/**
 * The password a command was given, on the client: from the file, SPACEDRIVE_PASSWORD, or the terminal.
 * @returns undefined when none of the options was given
 */
export async function typedPassword(
  options: Typed['options'],
  terminal: Terminal,
  { repeat = false } = {}
): Promise<string | undefined> {
  if (typeof options.passwordFile === 'string') {
    const { readPasswordFile } = await import('../identity/index.js')
    return readPasswordFile(resolveTyped(terminal.cwd, options.passwordFile))
  }
  if (options.password !== true) return undefined
  const supplied = process.env.SPACEDRIVE_PASSWORD
  if (supplied !== undefined && supplied !== '') return supplied
  const password = await terminal.ask('Password:', { hidden: true })
  if (repeat && (await terminal.ask('Again:', { hidden: true })) !== password) {
    throw new SpacedriveError('USAGE', 'the two passwords differ')
  }
  return password
}
