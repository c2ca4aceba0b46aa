import { z } from 'zod'
import { defineOperation } from './operation.js'
import { passwordOptions, typedPassword } from './password-option.js'

export const networkStart = defineOperation({
  name: 'network.start',
  summary: 'Switch networking on, now and at later starts',
  input: z.strictObject({ password: z.string().max(1024).optional() }),
  async run({ peer }, { password }) {
    await peer.settings.set('network.enabled', true)
    if (password !== undefined) await peer.identity.unlock(password)
    await peer.network.start()
    return peer.network.status()
  },
  command: {
    path: 'network start',
    options: passwordOptions('open the sealed key with a password, asked for on the terminal'),
    examples: ['spacedrive network start', 'spacedrive network start --password'],
    async input({ options }, terminal) {
      const password = await typedPassword(options, terminal)
      return password === undefined ? {} : { password }
    },
    render(status, terminal) {
      terminal.line(`Networking is on: ${status.name}, ${status.device}`)
      for (const address of status.listening) terminal.line(`  ${address}`)
      for (const note of status.notes) terminal.note(note)
    }
  }
})

export const networkStop = defineOperation({
  name: 'network.stop',
  summary: 'Switch networking off, now and at later starts',
  input: z.strictObject({}),
  async run({ peer }) {
    await peer.settings.set('network.enabled', false)
    await peer.network.stop()
    return { state: peer.network.state }
  },
  command: {
    path: 'network stop',
    examples: ['spacedrive network stop'],
    input: () => ({}),
    render: (_output, terminal) => terminal.line('Networking is off')
  }
})
