import { defineTasks, type LinkContext } from '../../../storage/base/index.js'
import { stagingWriter } from '../../../storage/files/index.js'
import { ContentReceiver } from './content-receiver.js'
import { Journal } from './journal.js'
import type { ReceiveInput, ReceiveOutcome } from './messages.js'

export const receiving = defineTasks(import.meta.url, {
  /** Over a link: receives the content of one stream; resolves when every selected file is accounted for. */
  async receiveContent(input: ReceiveInput, ctx: LinkContext): Promise<ReceiveOutcome> {
    const journal = new Journal(input.journalFile)
    const writer = stagingWriter(input.staging)
    try {
      const receiver = new ContentReceiver(input, writer, journal, message => ctx.emit(message), ctx.signal)
      ctx.onPost(message => receiver.post(message))
      return await receiver.run()
    } finally {
      writer.close()
      journal.close()
      await writer.begun()
    }
  }
})
