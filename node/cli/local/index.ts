/** The commands that no daemon answers: starting one, and finding those there are. */
import { instanceList, instanceStop } from './instances.js'
import type { LocalCommand } from './local-command.js'
import { systemLogs } from './logs.js'
import { restart, start } from './start.js'

export const localCommands: readonly LocalCommand[] = [start, restart, instanceList, instanceStop, systemLogs]
