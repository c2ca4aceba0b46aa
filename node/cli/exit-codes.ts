/** What the command ends with (DESIGN 11). An operation adds its error codes here when they are not plain failures. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  /** Done, with conflicts or problems. */
  problems: 3,
  /** Halted by a guard. */
  halted: 4,
  notRunning: 5,
  /** An unknown, unpaired or unreachable device; also a sync that waits for one. */
  device: 6,
  interrupted: 130
} as const

const byCode: Readonly<Record<string, number>> = {
  USAGE: EXIT.usage,
  BAD_INPUT: EXIT.usage,
  BAD_SETTING: EXIT.usage,
  UNKNOWN_SETTING: EXIT.usage,
  UNKNOWN_OPERATION: EXIT.usage,
  BAD_WORDS: EXIT.usage,
  BAD_LINK: EXIT.usage,
  BAD_ADDRESS: EXIT.usage,
  BAD_NAME: EXIT.usage,
  BAD_POLICY: EXIT.usage,
  LIBRARY_NAME: EXIT.usage,
  CONFIRMATION_NEEDED: EXIT.usage,
  HALTED: EXIT.halted,
  DAEMON_NOT_RUNNING: EXIT.notRunning,
  UNKNOWN_DEVICE: EXIT.device,
  AMBIGUOUS_DEVICE: EXIT.device,
  NOT_PAIRED: EXIT.device,
  NOT_CONNECTED: EXIT.device,
  DEVICE_AWAY: EXIT.device,
  DEVICE_UNREACHABLE: EXIT.device,
  DEVICE_REVOKED: EXIT.device,
  NOT_KNOWN_THERE: EXIT.device,
  REVOKED: EXIT.device,
  UNREACHABLE: EXIT.device,
  PAIRING_NOT_FOUND: EXIT.device,
  INTERRUPTED: EXIT.interrupted
}

export function exitCodeOf(errorCode: string): number {
  return byCode[errorCode] ?? EXIT.failed
}
