import { typed } from '../../storage/base/index.js'
import type { Globals } from './local/local-command.js'

type Instance = Pick<Globals, 'dataDir' | 'instance'>

/** How an instance is spoken to: for hints that can be typed as they are. */
export function ownCommand({ dataDir, instance }: Instance): string {
  const parts = ['spacedrive']
  if (dataDir !== undefined) parts.push('--data-dir', typed(dataDir))
  if (instance !== undefined) parts.push('--instance', typed(instance))
  return parts.join(' ')
}

/** What starts, stops and explains a daemon: a hint that names it speaks of the instance that was asked, never of another device. */
const OF_THE_DAEMON = /`spacedrive (?=(start|restart|stop|network start|system logs)\b)/g

/** A hint of an instance, with its own name in the commands of its daemon. */
export const ownHint = (hint: string, instance: Instance): string =>
  hint.replace(OF_THE_DAEMON, () => `\`${ownCommand(instance)} `)
