import type { LocalCommand } from './local/local-command.js'

const WITH_VALUE = new Set(['--instance', '--data-dir'])

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
