import { defineTasks, type LinkContext } from '../../../storage/base/index.js'
import { type ContentInput, ContentSender } from './content-sender.js'

export const sending = defineTasks(import.meta.url, {
  /** Over a link: sends the content of one stream until aborted. */
  sendContent(input: ContentInput, ctx: LinkContext): Promise<never> {
    const sender = new ContentSender(input, message => ctx.emit(message), ctx.signal)
    ctx.onPost(message => sender.post(message))
    return sender.run()
  }
})
