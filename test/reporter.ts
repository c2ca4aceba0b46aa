import { createRequire } from 'node:module'
import type Mocha from 'mocha'

const mocha = createRequire(import.meta.url)('mocha') as typeof Mocha

/** The usual listing, closed by one line that machines can read: `N passed, N failed`. */
export default class Reporter extends mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    process.on('exit', () => process.stdout.write(`${this.stats.passes} passed, ${this.stats.failures} failed\n`))
  }
}
