import { errorCode, flagsWereOurs } from '../../../storage/base/index.js'
import { daemonClient } from '../../client/index.js'
import type { Terminal } from '../../operations/operation.js'
import type { LocalCommand, LocalContext } from './local-command.js'
import { echoLog } from './log-lines.js'
import { replaceProcess } from './replace-process.js'
import { daemonEnvironment, HEAP_FLAGS, type StartAnswer, spawnDaemon } from './spawn-daemon.js'
import { startFlags, startOptionsOf } from './start-options.js'

export const start: LocalCommand = {
  path: 'start',
  summary: 'Start the daemon in the background',
  options: [['--foreground', 'run here and show the log; Ctrl-C stops it'], ...startFlags],
  examples: [
    'spacedrive start --enable-networking',
    'spacedrive --instance alice start --enable-networking --loopback',
    'spacedrive start --foreground'
  ],
  async run(context, typed) {
    const options = startOptionsOf(context, typed)
    if (typed.options.foreground !== true) return await spawnDaemon(options, context.signal)
    return await runHere(context, options)
  },
  render: (answer: StartAnswer | undefined, terminal: Terminal) => renderStart(answer, terminal)
}

export const restart: LocalCommand = {
  path: 'restart',
  summary: 'Stop the daemon and start it again, with the options it had unless others are given',
  options: startFlags,
  examples: ['spacedrive restart', 'spacedrive restart --enable-networking'],
  async run(context, typed) {
    try {
      await daemonClient(context.dataDir).call('system.stop', {}, { signal: context.signal })
    } catch (err) {
      if (errorCode(err) !== 'DAEMON_NOT_RUNNING') throw err
    }
    return await spawnDaemon(startOptionsOf(context, typed), context.signal)
  },
  render: (answer: StartAnswer, terminal: Terminal) => renderStart(answer, terminal)
}

function renderStart(answer: StartAnswer | undefined, terminal: Terminal): void {
  if (answer === undefined) return
  terminal.line(
    answer.started ? `Started (process ${answer.pid}).` : `The daemon is running already (process ${answer.pid}).`
  )
}

/** The daemon in this process; its own signal handlers take the place of the command's. */
async function runHere(context: LocalContext, options: ReturnType<typeof startOptionsOf>): Promise<undefined> {
  if (!HEAP_FLAGS.every(flag => process.execArgv.includes(flag))) {
    // V8 and the C library are told when they begin: the same process begins again. Where that cannot be it goes on without.
    const args = [...process.execArgv, ...HEAP_FLAGS, ...process.argv.slice(1)]
    replaceProcess(process.execPath, args, daemonEnvironment())
  }
  flagsWereOurs()
  process.removeAllListeners('SIGINT')
  process.removeAllListeners('SIGTERM')
  await import('../../shim.js')
  const { runDaemonProcess } = await import('../../daemon/index.js')
  const code = await runDaemonProcess(options, {
    background: false,
    echo: line => echoLog(line, context.terminal),
    onReady: () => {
      if (context.terminal.json)
        context.terminal.raw(Buffer.from(`${JSON.stringify({ started: true, pid: process.pid })}\n`))
    }
  })
  process.exit(code)
}
