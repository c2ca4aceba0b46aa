import { Command, CommanderError } from 'commander'
import type { Typed } from '../operations/operation.js'
import { VERSION } from '../version.js'
import { groups } from './groups.js'
import type { Globals } from './local/local-command.js'

/** What the tree of commands is built from: an operation's command, or one of our own. */
export interface ProgramEntry {
  readonly path: string
  readonly aliases?: readonly string[]
  readonly summary: string
  readonly arguments?: readonly (readonly [syntax: string, meaning: string])[]
  readonly options?: readonly (readonly [flags: string, meaning: string])[]
  readonly examples: readonly string[]
  run(globals: Globals, typed: Typed): Promise<void>
}

export interface ProgramOutput {
  out(text: string): void
  err(text: string): void
}

/**
 * The tree of commands. Global options are understood before and after the command words; help exists on every level and
 * ends with examples; an unknown word names the likely one.
 */
export function buildProgram(entries: readonly ProgramEntry[], output: ProgramOutput): Command {
  const program = new Command('spacedrive')
  const nodes = new Map<string, Command>([['', program]])
  setUp(program, output)
  program
    .description("A peer node for a person's own devices: pair by twelve words, drop files, keep folders in step.")
    .version(VERSION, '-V, --version', 'print the version')
    .option('--instance <name>', 'the instance to speak to (its own daemon, data and socket)')
    .option('--data-dir <dir>', 'where the data lies; with --instance in a folder of it')
    .option('--json', 'answers in JSON, one line each')
    .option('-v, --verbose', 'say more: details of errors; with start, every line of the log')
    .addHelpText('after', '\nExamples:\n  $ spacedrive start --enable-networking\n  $ spacedrive status')

  function nodeAt(path: string): Command {
    const found = nodes.get(path)
    if (found !== undefined) return found
    const at = path.lastIndexOf(' ')
    const parent = nodeAt(at < 0 ? '' : path.slice(0, at))
    const node = parent.command(path.slice(at + 1))
    setUp(node, output)
    const about = groups[path]
    if (about !== undefined) node.description(about)
    nodes.set(path, node)
    return node
  }

  const examples = new Map<string, string[]>()
  for (const entry of entries) {
    for (const path of [entry.path, ...(entry.aliases ?? [])]) {
      const node = nodeAt(path)
      node.description(path === entry.path ? entry.summary : `${entry.summary} (as \`${entry.path}\`)`)
      for (const [syntax, meaning] of entry.arguments ?? []) node.argument(syntax, meaning)
      for (const [flags, meaning] of entry.options ?? []) addOption(node, flags, meaning)
      node.action(async (...args: unknown[]) => {
        const options = withParents(node, args.at(-2) as Typed['options'])
        await entry.run(globalsOf(program), { arguments: args.slice(0, -2) as Typed['arguments'], options })
      })
      examples.set(path, [...(examples.get(path) ?? []), ...entry.examples])
    }
  }
  for (const [path, node] of nodes) {
    if (path === '') continue
    const shown = examples.get(path) ?? firstExamples(path, examples)
    if (shown.length > 0) node.addHelpText('after', `\nExamples:\n${shown.map(e => `  $ ${e}`).join('\n')}`)
    node.addHelpText('after', '\nGlobal options: --instance NAME, --data-dir DIR, --json, -v')
  }
  return program
}

/**
 * `network pair` has options and subcommands: commander gives an option that both know to the parent, wherever it stands.
 */
function withParents(node: Command, options: Typed['options']): Typed['options'] {
  const merged: Record<string, Typed['options'][string]> = { ...options }
  for (let up = node.parent; up?.parent; up = up.parent) {
    for (const name of node.options.map(o => o.attributeName())) {
      if (up.getOptionValueSource(name) === 'cli') merged[name] = up.getOptionValue(name) as Typed['options'][string]
    }
  }
  return merged
}

/** A group shows one example of each of its first commands. */
function firstExamples(path: string, examples: ReadonlyMap<string, string[]>): string[] {
  const SHOWN = 3
  return [...examples]
    .filter(([p]) => p.startsWith(`${path} `))
    .slice(0, SHOWN)
    .map(([, list]) => list[0]!)
}

/** `--x <value>...` may be given several times. */
function addOption(node: Command, flags: string, meaning: string): void {
  if (!/[<[][\w-]+[>\]]\.\.\.$/.test(flags)) {
    node.option(flags, meaning)
    return
  }
  const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value]
  node.option(flags.replace(/\.\.\.$/, ''), `${meaning} (may be repeated)`, collect)
}

function setUp(node: Command, output: ProgramOutput): void {
  node
    .exitOverride()
    .configureOutput({ writeOut: text => output.out(text), writeErr: text => output.err(text) })
    .showSuggestionAfterError(true)
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: false })
}

export function globalsOf(program: Command): Globals {
  const options = program.opts<{ instance?: string; dataDir?: string; json?: boolean; verbose?: boolean }>()
  return {
    instance: options.instance,
    dataDir: options.dataDir,
    json: options.json === true,
    verbose: options.verbose === true
  }
}

/** False when a word that should be a command is none. */
export const knowsWords = (program: Command, argv: readonly string[]): boolean => findCommand(program, argv).known

/** What shows how the command that was typed is used, as far as its words are known. */
export function helpFor(program: Command, argv: readonly string[]): string {
  const words: string[] = []
  for (let node: Command | null = findCommand(program, argv).command; node !== null; node = node.parent)
    words.unshift(node.name())
  return `${words.join(' ')} --help`
}

function findCommand(program: Command, argv: readonly string[]): { command: Command; known: boolean } {
  let node = program
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    if (WITH_VALUE.has(word)) i++
    else if (!word.startsWith('-')) {
      if (node.commands.length === 0 || node.registeredArguments.length > 0) break
      const next = node.commands.find(c => c.name() === word)
      if (next === undefined) return { command: node, known: false }
      node = next
    }
  }
  return { command: node, known: true }
}

/** Global options whose value is the next word. */
export const WITH_VALUE: ReadonlySet<string> = new Set(['--instance', '--data-dir'])

/** Commander's own errors are wrong usage; help and version are not errors. */
export function isHelp(err: unknown): boolean {
  return err instanceof CommanderError && err.exitCode === 0
}

export { CommanderError }
