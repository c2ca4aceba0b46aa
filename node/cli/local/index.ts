/** The commands that no daemon answers: starting one, and finding those there are. */
import type { LocalCommand } from './local-command.js'
import { restart, start } from './start.js'

export const localCommands: readonly LocalCommand[] = [start, restart]
