/**
 * Every event there is, with its payload: plain values only, since events go over the API as JSON. This is a public
 * interface; a new name follows `subject:happened` and is listed in docs/events.md.
 */
export interface ProgressFields {
  phase: string
  message?: string
  doneFiles: number
  /** null: not known yet, or still growing. */
  totalFiles: number | null
  doneBytes: number
  totalBytes: number | null
  bytesPerSecond?: number
  remainingMs?: number | null
  problems?: number
  /** What happened last, typed by the kind of job: plain values with a `kind` of their own. */
  detail?: ProgressDetail
}

export type ProgressDetail = { readonly kind: string } & Readonly<Record<string, unknown>>

type Device = { device: string; name?: string }
type Job = { job: string; kind: string }
type Transfer = { transfer: string; device: string; direction: 'send' | 'receive' }

// biome-ignore lint/complexity/noBannedTypes: an event without fields
type Nothing = {}

export type EventMap = {
  'daemon:started': { pid: number; version: string }
  'daemon:stopping': { reason: string }

  'library:created': { library: string; name: string; path: string }
  'library:opened': { library: string; name: string; path: string }
  'library:closed': { library: string; name: string }
  'library:deleted': { library: string; name: string }

  'location:added': { library: string; location: string; path: string }
  'location:updated': { library: string; location: string; activity?: string; freshness?: string }
  'location:removed': { library: string; location: string }
  'location:offline': { library: string; location: string; reason: string }
  'location:online': { library: string; location: string }

  'entry:created': { library: string; location: string; path: string }
  'entry:modified': { library: string; location: string; path: string }
  'entry:moved': { library: string; location: string; from: string; path: string }
  'entry:deleted': { library: string; location: string; path: string }
  'index:changed': { library: string; location: string; seq: number; changes: number }

  'volume:added': { volume: string; mountPoint: string }
  'volume:removed': { volume: string; mountPoint: string }
  'volume:changed': { volume: string; mountPoint: string }

  'job:queued': Job
  'job:started': Job
  'job:progress': Job & ProgressFields
  'job:paused': Job
  'job:resumed': Job
  'job:completed': Job & { problems: number }
  'job:failed': Job & { code: string; message: string }
  'job:cancelled': Job

  'trash:added': { items: number; bytes: number; command: string; job?: string }
  'trash:restored': { items: number }
  'trash:removed': { items: number; bytes: number }

  'network:started': { listening: string[] }
  'network:stopped': Nothing

  'device:discovered': Device & { addresses: string[]; via: string }
  'device:paired': Device
  'device:connected': Device & { address: string }
  'device:disconnected': Device & { reason: string }
  'device:renamed': Device
  /** A paired device cannot be talked to as it should: `keys-differ`, `does-not-know-us`, `runs-twice`. */
  'device:troubled': Device & { problem: string }
  'device:revoked': Device

  'pairing:opened': { session: string; expiresAt: number }
  'pairing:progressed': { session: string; state: string; device?: string; name?: string; words?: string }
  'pairing:warned': { session: string; code: string; message: string }
  'pairing:completed': { session: string; device: string; name: string }
  'pairing:failed': { session: string; code: string; message: string }
  'pairing:expired': { session: string }

  'message:received': { message: string; device: string; kind: string }
  'message:delivered': { message: string; device: string }
  'message:failed': { message: string; device: string; code: string }

  'offer:received': { offer: string; device: string; files: number; bytes: number; text: boolean }
  'offer:accepted': { offer: string; device: string; by: 'us' | 'them' }
  'offer:declined': { offer: string; device: string; by: 'us' | 'them' }
  'offer:expired': { offer: string; device: string }

  'transfer:started': Transfer & { files: number; bytes: number }
  'transfer:progress': Transfer & ProgressFields
  'transfer:completed': Transfer & { files: number; bytes: number; problems: number; path?: string }
  'transfer:failed': Transfer & { code: string; message: string; resumable: boolean }

  'sync:added': { sync: string; name: string }
  'sync:started': { sync: string; name: string; run: string }
  'sync:progress': { sync: string; name: string; run: string } & ProgressFields
  'sync:finished': { sync: string; name: string; run: string; state: string; operations: number }
  'sync:conflicted': { sync: string; name: string; path: string }
  'sync:halted': { sync: string; name: string; reason: string }
  'sync:changed': {
    sync: string
    name: string
    state: string
    reason?: string
    text: string
    standing: string
    working: boolean
    note?: string
  }
  'sync:removed': { sync: string; name: string }
  /** Another device asks for a sync with a folder here. */
  'sync:requested': { sync: string; name: string; device: string }
  'sync:accepted': { sync: string; name: string; device: string; by: 'us' | 'them' | 'rule' }
  'sync:declined': { sync: string; name: string; device: string; by: 'us' | 'them' }
}
