// Run in a user namespace with few watches: `limit-child.js ROOT`. Watches the folder and says what it covers and sees.
import type { AbsPath, RelPath } from '../../../storage/base/index.js'
import { FoldersBackend } from '../../../storage/watcher/folders-backend.js'
import type { WatchCoverage } from '../../../storage/watcher/index.js'

const root = process.argv[2] as AbsPath
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`)
const backend = new FoldersBackend(root, {
  hint: (path: RelPath, subtree: boolean) => say({ path, subtree }),
  coverage: (coverage: WatchCoverage) => say({ coverage }),
  rootLost: () => say({ lost: true })
})
await backend.start()
say({ ready: true })
process.stdin.on('data', () => void backend.stop().then(() => process.exit(0)))
