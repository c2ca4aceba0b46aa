// First import of every entry point: libp2p 3 calls Promise.withResolvers, which Node 20 lacks, and Noise writes key
// material to its debug log when DUMP_SESSION_KEYS is set.
const promise = Promise as unknown as { withResolvers?: unknown }
promise.withResolvers ??= function withResolvers(): unknown {
  let resolve: unknown
  let reject: unknown
  const made = new Promise((a, b) => {
    resolve = a
    reject = b
  })
  return { promise: made, resolve, reject }
}
delete process.env.DUMP_SESSION_KEYS

export {}
