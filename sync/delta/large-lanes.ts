/** While one large file is opened, compared or finished, which takes answers from the other end, others travel. */
const LARGE_AT_ONCE = 2

/**
 * Brings large files, a few at a time in their order, with other work beside them. When it returns or throws, nothing of it is under
 * way any more: the staging place may be closed then.
 * @param beside - work that has begun; if it fails, no further file begins
 * @throws what failed first
 */
export async function bringLarge<T>(
  files: readonly T[],
  bring: (file: T) => Promise<void>,
  beside: readonly Promise<unknown>[] = []
): Promise<void> {
  const waiting = [...files]
  let failed: { error: unknown } | undefined
  const stop = (error: unknown): void => {
    failed ??= { error }
    waiting.length = 0
  }
  const lane = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await bring(file)
  }
  const lanes = Array.from({ length: Math.min(LARGE_AT_ONCE, files.length) }, lane)
  await Promise.all([...beside, ...lanes].map(work => work.catch(stop)))
  if (failed !== undefined) throw failed.error
}
