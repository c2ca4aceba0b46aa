// The background daemon: started by `spacedrive start` with its options as one argument, tells it over the IPC channel
// when it answers, or why it could not start.
import '../shim.js'
import { type AbsPath, flagsWereOurs, toPlainError } from '../../storage/base/index.js'
import { openInstance } from '../../storage/instance/index.js'
import { ensureDataDir, findPlace } from '../instance/index.js'
import type { StartOptions, StartReport } from './start-options.js'

const options = JSON.parse(process.argv[2] ?? 'null') as StartOptions | null
if (options === null) throw new Error('this is started by `spacedrive start`')
flagsWereOurs()
process.title = 'spacedrive'
// It may have gone already; then nobody needs to be told.
process.on('error', () => {})

function tell(report: StartReport): Promise<void> {
  return new Promise(resolve => {
    if (!process.connected || process.send === undefined) return resolve()
    process.send(report, undefined, undefined, () => {
      if (process.connected) process.disconnect()
      resolve()
    })
  })
}

try {
  // The database opens in its own thread while the code of the rest is loaded: 40 ms of the 400 that a start may take.
  const instance = openInstance(ensureDataDir(options.dataDir as AbsPath), { newDatabase: options.newDatabase })
  instance.catch(() => {}) // told by `runDaemonProcess`
  const { runDaemonProcess } = await import('./process.js')
  const code = await runDaemonProcess(options, {
    background: true,
    instance,
    onReady: () => void tell({ ready: { pid: process.pid, socket: findPlace(options.dataDir)?.socket ?? '' } })
  })
  process.exit(code)
} catch (err) {
  await tell({ error: toPlainError(err) })
  process.exit(1)
}
