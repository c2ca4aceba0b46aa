/** A small generator with a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const { SPACEDRIVE_RUNS: long, SPACEDRIVE_TEST_EDITS: edits, SPACEDRIVE_SEED: seed } = process.env

/** As for properties (setup.ts): the same at every run, so that a failure is that of the change at hand; a long search takes new ones. */
export const seedOfRun = (): number =>
  seed !== undefined
    ? Number(seed)
    : long === undefined && edits === undefined
      ? 1
      : Math.floor(Math.random() * 2 ** 31)
