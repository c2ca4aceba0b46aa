/**
 * Lets a stream run ahead of its reader, up to `limit` counted by `weigh`. A failure comes after what came before it; ending
 * the loop early ends the stream.
 */
export async function* readAhead<T>(
  stream: AsyncIterable<T>,
  limit: number,
  weigh: (value: T) => number
): AsyncGenerator<T> {
  const waiting: T[] = []
  let weight = 0
  let over = false
  let end: { error?: unknown } | undefined
  let onValue = (): void => {}
  let onRoom = (): void => {}
  const pump = (async () => {
    for await (const value of stream) {
      if (over) return
      waiting.push(value)
      weight += weigh(value)
      onValue()
      while (weight >= limit && !over) {
        await new Promise<void>(resolve => {
          onRoom = resolve
        })
      }
      if (over) return
    }
  })().then(
    () => {
      end = {}
      onValue()
    },
    error => {
      end = { error }
      onValue()
    }
  )
  try {
    for (;;) {
      const value = waiting.shift()
      if (value !== undefined) {
        weight -= weigh(value)
        onRoom()
        yield value
      } else if (end !== undefined) {
        if ('error' in end) throw end.error
        return
      } else {
        await new Promise<void>(resolve => {
          onValue = resolve
        })
      }
    }
  } finally {
    over = true
    onRoom()
    await pump
  }
}
