import type { Device } from './device.js'
import type { Ledger } from './ledger.js'
import { differences, keptIn, leftovers, lookAt, type Tree } from './look.js'
import { repositoryAt } from './work.js'

const SHOWN = 20

/** What must hold whenever all devices are at rest. */
export class Checks {
  readonly #devices: readonly Device[]
  readonly #ledger: Ledger

  constructor(devices: readonly Device[], ledger: Ledger) {
    this.#devices = devices
    this.#ledger = ledger
  }

  /** All ends alike, nothing lost, the repository whole, nothing staged left. @throws what is wrong, in words */
  whole(): void {
    const trees = this.#devices.map(device => ({ device, tree: lookAt(device.root, device.known) }))
    const [first, ...others] = trees as [(typeof trees)[0], ...typeof trees]
    for (const other of others) fail(`not alike`, differences(first.tree, other.tree))
    fail('contents that are nowhere', this.#missing(trees.map(t => t.tree)))
    const repositories = this.#devices.map(({ root }) => repositoryAt(root))
    fail(
      'the repository',
      repositories.flatMap(r => r.wrong)
    )
    if (new Set(repositories.map(r => r.head)).size > 1)
      fail(
        'the repository',
        repositories.map(r => r.head)
      )
    fail(
      'left in staging',
      this.#devices.flatMap(({ root }) => leftovers(root))
    )
    this.#ledger.settled(trees.map(({ device, tree }) => [device.name, files(tree)] as const))
  }

  /** Every content in versions is what its name says. @throws what is wrong, in words */
  versions(): void {
    fail(
      'in versions, not what it is called',
      this.#devices.flatMap(({ root }) => keptIn(root).wrong)
    )
  }

  #missing(trees: readonly Tree[]): string[] {
    const there = new Set(trees.flatMap(tree => [...tree.values()].map(found => found.hash)))
    const absent = this.#ledger.wanted().filter(({ hash }) => !there.has(hash))
    if (absent.length === 0) return []
    const kept = this.#devices.map(({ root }) => keptIn(root).hashes)
    return absent
      .filter(({ hash }) => !kept.some(hashes => hashes.has(hash)))
      .map(({ hash, places }) => `${hash} of ${places.join(', ')}`)
  }
}

const files = (tree: Tree) =>
  [...tree].flatMap(([path, { hash }]) => (hash === undefined ? [] : [[path, hash] as const]))

function fail(what: string, lines: readonly string[]): void {
  if (lines.length === 0) return
  const more = lines.length > SHOWN ? `\n  and ${lines.length - SHOWN} more` : ''
  throw new Error(`${what}:\n  ${lines.slice(0, SHOWN).join('\n  ')}${more}`)
}
