import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A cable between a port of its own and another: what is dialled here arrives there. */
export interface Cable {
  readonly port: number
  /** Nothing passes any more, and neither end notices. */
  freeze(): void
  /** What leaves that end waits in the cable until it is released; the other way everything passes. */
  hold(from: 'here' | 'there'): void
  release(): void
  /** From now on everything is so long on its way, in each direction: as behind what fills a slow link. */
  delay(ms: number): void
  close(): void
}

export async function cable(port: number): Promise<Cable> {
  const pairs: { here: Socket; there: Socket }[] = []
  const server = createServer(here => {
    const there = connect({ host: '127.0.0.1', port })
    pairs.push({ here, there })
    for (const socket of [here, there]) socket.on('error', () => {})
    here.pipe(there)
    there.pipe(here)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    freeze() {
      for (const { here, there } of pairs) for (const socket of [here, there]) socket.unpipe().pause()
    },
    hold(from) {
      for (const pair of pairs) pair[from].unpipe().pause()
    },
    release() {
      for (const { here, there } of pairs) {
        here.unpipe().pipe(there)
        there.unpipe().pipe(here)
      }
    },
    delay(ms) {
      const later = (from: Socket, to: Socket): void => {
        from
          .unpipe()
          .on('data', data => setTimeout(() => to.write(data), ms))
          .resume()
      }
      for (const { here, there } of pairs) {
        later(here, there)
        later(there, here)
      }
    },
    close() {
      for (const { here, there } of pairs) for (const socket of [here, there]) socket.destroy()
      server.close()
    }
  }
}
