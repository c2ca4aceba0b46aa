import type { AnyEvent } from '../../storage/base/index.js'
import { formatTime } from './format.js'

/** Fields that say who or what, in the order in which they are shown. */
const TELLING = ['name', 'path', 'from', 'phase', 'state', 'code', 'message', 'reason', 'address', 'mountPoint', 'kind']

/** `17:04:05 device:connected  laptop  /ip4/192.168.1.7/tcp/4001` */
export function eventLine(event: AnyEvent): string {
  const fields = event as unknown as Record<string, unknown>
  const told = TELLING.flatMap(key => (typeof fields[key] === 'string' && fields[key] !== '' ? [fields[key]] : []))
  if (typeof fields.changes === 'number') told.push(fields.changes === 1 ? '1 change' : `${fields.changes} changes`)
  return `${formatTime(event.at).slice(-8)} ${event.type.padEnd(20)} ${told.join('  ')}`.trimEnd()
}
