import type { LocalCommand } from './local/local-command.js'
import { WITH_VALUE } from './program.js'

/** True when what was typed is surely one of our own commands. A wrong guess costs only time. */
export function likelyLocal(argv: readonly string[], commands: readonly LocalCommand[]): boolean {
  const words: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    if (WITH_VALUE.has(word)) i++
    else if (!word.startsWith('-')) words.push(word)
  }
  return commands
    .flatMap(c => [c.path, ...(c.aliases ?? [])])
    .some(path => path.split(' ').every((part, i) => words[i] === part))
}
