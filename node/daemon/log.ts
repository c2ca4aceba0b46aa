import pino from 'pino'
import type { LogFields, Logger } from '../../storage/base/index.js'
import { cleanFields, cleanText } from './log-clean.js'
import { countRepeats } from './log-repeats.js'

export type Level = 'debug' | 'info' | 'warn' | 'error'

export interface DaemonLog extends Logger {
  setLevel(level: Level): void
  close(): void
}

/**
 * Structured, one JSON line an event: `{"level","time","part"?,"msg",...fields}`. Every text in it is escaped and bounded,
 * secrets are taken out by the name of their field and by their form, repeats are counted instead of written.
 * @param write - takes whole lines
 */
export function createLog(
  write: (line: string) => void,
  level: Level = 'info',
  nowMs: () => number = Date.now
): DaemonLog {
  const root = pino(
    {
      level,
      base: null,
      // Fields are plain and clean when they come here; pino's own rendering of errors would add their stack again.
      serializers: { err: value => value },
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
      formatters: { level: label => ({ level: label }) }
    },
    { write }
  )
  const repeats = countRepeats(nowMs, (kind, suppressed) => {
    const [lineLevel, part, msg] = kind.split('\0') as [Level, string, string]
    root[lineLevel]({ ...(part === '' ? {} : { part }), repeated: suppressed }, msg)
  })

  function speaker(part: string): Logger {
    const say = (lineLevel: Level) => (message: string, fields?: LogFields) => {
      if (!root.isLevelEnabled(lineLevel)) return
      const msg = cleanText(message)
      if (!repeats.admit(`${lineLevel}\0${part}\0${msg}`)) return
      root[lineLevel]({ ...(part === '' ? {} : { part }), ...shielded(fields) }, msg)
    }
    return {
      debug: say('debug'),
      info: say('info'),
      warn: say('warn'),
      error: say('error'),
      child: name => speaker(part === '' ? cleanText(name) : `${part}/${cleanText(name)}`)
    }
  }

  return {
    ...speaker(''),
    setLevel(next) {
      root.level = next
    },
    close: () => repeats.stop()
  }
}

/** Names that mean something in a line stay ours. */
const OWN = new Set(['level', 'time', 'part', 'msg'])

function shielded(fields: LogFields | undefined): Record<string, unknown> {
  if (fields === undefined) return {}
  const clean = cleanFields(fields)
  for (const name of OWN) {
    if (!(name in clean)) continue
    clean[`${name}_`] = clean[name]
    delete clean[name]
  }
  return clean
}
