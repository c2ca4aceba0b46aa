import { z } from 'zod'
import { defineOperation } from './operation.js'

export const systemStop = defineOperation({
  name: 'system.stop',
  summary: 'Stop the daemon; running work is checkpointed and goes on at the next start',
  input: z.strictObject({}),
  async run({ peer }) {
    await peer.host.stop('asked over the API')
    return { stopped: true }
  },
  command: {
    path: 'stop',
    examples: ['spacedrive stop', 'spacedrive --instance alice stop'],
    input: () => ({}),
    render: (_output, terminal) => terminal.line('Stopped.')
  }
})
