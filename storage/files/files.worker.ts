import { defineTasks, type LinkContext, type TaskContext, toPlainError } from '../base/index.js'
import { StretchSource } from './append-copy.js'
import type { AppendAnswer, AppendInit, AppendReading, AppendRequest } from './append-link.js'
import { diskHere } from './disk-here.js'
import { StagingWriter } from './staging-writer.js'
import { fileTasks } from './tasks.js'

type Tasks = typeof fileTasks
type WorkerTasks = {
  [K in keyof Tasks]: (input: Parameters<Tasks[K]>[1], ctx: TaskContext) => ReturnType<Tasks[K]>
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
  async appendFile({ root, place, path, sizeBytes }: AppendInit, ctx: LinkContext): Promise<void> {
    const writer = new StagingWriter(diskHere(), place)
    const stretches = new StretchSource(diskHere(), root)
    const answer = (value: AppendAnswer | AppendReading): void => ctx.emit(value)
    const onBytes = (readBytes: number): void => answer({ readBytes })
    try {
      const file = await writer.openFile(path, { sizeBytes, onBytes, signal: ctx.signal })
      answer({ n: 0, positionBytes: file.positionBytes })
      const act = async (request: AppendRequest): Promise<Pick<AppendAnswer, 'hash' | 'blocks'>> => {
        if (request.kind === 'append') file.append(request.bytes)
        else if (request.kind === 'hole') file.appendHole(request.lengthBytes)
        else if (request.kind === 'stretch') await stretches.appendTo(file, request.stretch, ctx)
        else if (request.kind === 'blocks') return { blocks: await stretches.appendBlocks(file, request.blocks, ctx) }
        else if (request.kind === 'restart') file.restart()
        else if (request.kind === 'close') file.close()
        else return { hash: request.kind === 'finish' ? file.finish(request.expected).hash : file.prefixHash() }
        return {}
      }
      await new Promise<void>((resolve, reject) => {
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason), { once: true })
        let before = Promise.resolve()
        ctx.onPost((request: AppendRequest) => {
          before = before.then(async () => {
            const { n } = request
            try {
              const said = await act(request)
              answer({ n, positionBytes: file.positionBytes, ...said })
            } catch (err) {
              answer({ n, positionBytes: file.positionBytes, error: toPlainError(err) })
            }
            if (request.kind === 'close') resolve()
          })
        })
      }).finally(() => file.close())
    } finally {
      stretches.close()
      writer.close()
      await writer.begun()
    }
  }
})
