/**
 * JSON for the API and for `--json`: bigint as a number where that is exact, else as text; bytes as base64. Strings with odd
 * bytes in them (storage/base/paths) come through as they are: JSON escapes lone surrogates.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value === undefined ? null : value, replace)
}

function replace(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  // Buffer has a toJSON that ran already; the holder still has the original.
  const raw = (this as Record<string, unknown>)[key]
  if (raw instanceof Uint8Array) return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('base64')
  if (value instanceof Map) return Object.fromEntries(value)
  if (value instanceof Set) return [...value]
  return value
}
