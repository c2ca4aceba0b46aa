// A process that does one thing in the history of a sync, and is gone the moment it has written down that it is about to, or when it
// is about to write down that it did.
import type { AbsPath } from '../../../storage/base/index.js'
import type { Mode } from '../../../sync/reconcile/index.js'
import { changing } from '../../../sync/session/index.js'
import { openHistory } from './fixture.js'

const [, , at, mode, what, point, then] = process.argv
const fixture = await openHistory({
  ...{ at: at as AbsPath, mode: mode as Mode },
  onWrite(task, when) {
    const gone =
      point === 'before it is done'
        ? task === changing.intend && when === 'is committed'
        : task === changing.record && when === 'begins'
    if (gone) process.kill(process.pid, 'SIGKILL')
  }
})
const { restore, undo, run } = fixture
if (what === 'restore') await restore({ path: '' as never, atMs: Number(then), to: 'source' })
else if (what === 'undo') await undo({})
else await run()
