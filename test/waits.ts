/**
 * How long a test waits for what is to happen: no limit here is what is tested. Mocha's own (.mocharc.json, 600 s) is longer, so
 * that who waits in vain says for what. A limit that is tested is the guilty party's alone, or stands on a clock of the test's.
 */
export const WAIT_MS = 480_000
