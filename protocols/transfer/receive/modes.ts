/**
 * Permission bits that an arriving file gets. Exact where the caller asked for it (a sync); else nothing that starts by a click,
 * and nothing that others could write to, whatever the sender says (C12 of the threats).
 */
export function fileMode(mode: number, exact: boolean): number {
  return exact ? mode & 0o777 : (mode & 0o644) | 0o400
}

export function directoryMode(mode: number, exact: boolean): number {
  return exact ? mode & 0o777 : (mode & 0o755) | 0o700
}
