/** Lines of one kind in one window; a peer that knocks all night fills no disk. */
export const MAX_REPEATS = 20
export const REPEAT_WINDOW_MS = 10_000
/** Kinds that are counted at once; beyond that the count begins anew, which lets a few lines more through. */
const MAX_KINDS = 1_024

export interface Repeats {
  /** @returns whether the line is written; `summary` is told how many were not, at the end of their window */
  admit(kind: string): boolean
  stop(): void
}

/** Counts lines by kind (level, part and message, without fields). `summary` comes when a window with suppressed lines ends. */
export function countRepeats(nowMs: () => number, summary: (kind: string, suppressed: number) => void): Repeats {
  const kinds = new Map<string, { since: number; count: number }>()
  let timer: NodeJS.Timeout | undefined

  function flush(all: boolean): void {
    const now = nowMs()
    for (const [kind, seen] of kinds) {
      if (!all && now - seen.since < REPEAT_WINDOW_MS) continue
      kinds.delete(kind)
      if (seen.count > MAX_REPEATS) summary(kind, seen.count - MAX_REPEATS)
    }
  }

  return {
    admit(kind) {
      const now = nowMs()
      let seen = kinds.get(kind)
      if (seen === undefined || now - seen.since >= REPEAT_WINDOW_MS) {
        if (seen !== undefined || kinds.size >= MAX_KINDS) flush(kinds.size >= MAX_KINDS)
        seen = { since: now, count: 0 }
        kinds.set(kind, seen)
      }
      seen.count++
      if (seen.count > MAX_REPEATS && timer === undefined) {
        timer = setTimeout(() => {
          timer = undefined
          flush(false)
        }, REPEAT_WINDOW_MS)
        timer.unref()
      }
      return seen.count <= MAX_REPEATS
    },
    stop() {
      clearTimeout(timer)
      flush(true)
    }
  }
}
