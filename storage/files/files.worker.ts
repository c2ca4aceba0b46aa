import { defineTasks, type LinkContext, type TaskContext, toPlainError } from '../base/index.js'
import type { AppendAnswer, AppendInit, AppendRequest } from './append-link.js'
import type { Disk } from './disk.js'
import { nodeDisk } from './node-disk.js'
import { StagingWriter } from './staging-writer.js'
import { fileTasks } from './tasks.js'

type Tasks = typeof fileTasks
type WorkerTasks = {
  [K in keyof Tasks]: (input: Parameters<Tasks[K]>[1], ctx: TaskContext) => ReturnType<Tasks[K]>
}

let opened: Disk | undefined
/** The real disk, opened once a thread. */
export const diskHere = (): Disk => {
  opened ??= nodeDisk()
  return opened
}

const onRealDisk = Object.fromEntries(
  Object.entries(fileTasks).map(([name, task]) => [
    name,
    (input: never, ctx: TaskContext) => task(diskHere(), input, ctx)
  ])
) as unknown as WorkerTasks

export const filesInWorker = defineTasks(import.meta.url, {
  ...onRealDisk,

  /** One large file over a link: requests in order, an answer to each. Ends with the file. */
  async appendFile({ place, path, sizeBytes }: AppendInit, ctx: LinkContext): Promise<void> {
    const writer = new StagingWriter(diskHere(), place)
    try {
      const file = await writer.openFile(path, { sizeBytes, signal: ctx.signal })
      const answer = (value: AppendAnswer): void => ctx.emit(value)
      answer({ n: 0, positionBytes: file.positionBytes })
      await new Promise<void>((resolve, reject) => {
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason), { once: true })
        ctx.onPost((request: AppendRequest) => {
          const { n } = request
          try {
            if (request.kind === 'append') file.append(request.bytes)
            else if (request.kind === 'hole') file.appendHole(request.lengthBytes)
            else if (request.kind === 'restart') file.restart()
            else if (request.kind === 'close') file.close()
            const hash =
              request.kind === 'finish'
                ? file.finish(request.expected).hash
                : request.kind === 'prefix'
                  ? file.prefixHash()
                  : undefined
            answer({ n, positionBytes: file.positionBytes, ...(hash !== undefined && { hash }) })
          } catch (err) {
            answer({ n, positionBytes: file.positionBytes, error: toPlainError(err) })
          }
          if (request.kind === 'close') resolve()
        })
      }).finally(() => file.close())
    } finally {
      writer.close()
    }
  }
})
