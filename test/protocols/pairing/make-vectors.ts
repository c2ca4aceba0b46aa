import { advertisementKey, makeAdvertisement } from '../../../protocols/pairing/advertisement.js'
import { lanServiceName } from '../../../protocols/pairing/lan-tag.js'
import { type Message, parseMessage } from '../../../protocols/pairing/messages.js'
import { publicKeyOf } from '../../../protocols/pairing/signature.js'
import { wordsOf } from '../../../protocols/pairing/words.js'
import { encode } from '../../../protocols/wire/index.js'
import type { DeviceId } from '../../../storage/base/index.js'
import { fixed, initiatorInit, joinerInit, SEED_I, SEED_J, wholeHandshake, ZERO_KEYS } from './handshake.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const NAMES = ['request', 'challenge', 'response', 'complete I', 'complete J'] as const

/** Which number a field of one byte gets: another one that exists, so that only the check of this field can refuse it. */
const OTHER: Readonly<Record<string, unknown>> = { type: 'challenge', v: 2, suite: 0, ok: false }

/** One frame for each field: that field changed, the rest as it was. */
function mutations(raw: Uint8Array): { field: string; frame: string }[] {
  const message = parseMessage(raw) as Message & Record<string, unknown>
  return Object.entries(message).map(([field, value]) => {
    let changed: unknown
    if (value instanceof Uint8Array) {
      changed = value.slice()
      ;(changed as Uint8Array)[(changed as Uint8Array).length >> 1]! ^= 1
    } else if (field === 'type' && value === 'challenge') changed = 'request'
    else changed = OTHER[field]
    return { field, frame: hex(encode({ ...message, [field]: changed })) }
  })
}

export const ADVERTISED = {
  device: '12D3KooWGvbcbVvLTNmvPmuGnD4C9WJVMZQmpbtbHhPxNTCXdPGZ' as DeviceId,
  addresses: ['/ip4/192.168.1.7/tcp/4001', '/ip6/2a01:4f8::7/tcp/4001'],
  seq: 3,
  notAfterMs: 1_800_000_000_000
}

/** All vectors, from fixed input alone. */
export function makeVectors(): unknown {
  const { frames, ask, savedByI } = wholeHandshake()
  return {
    code: {
      entropy: hex(new Uint8Array(16)),
      words: wordsOf(new Uint8Array(16)),
      sessionId: hex(ZERO_KEYS.sessionId),
      requestKey: hex(ZERO_KEYS.requestKey),
      preShared: hex(ZERO_KEYS.preShared),
      rendezvousSeed: hex(ZERO_KEYS.rendezvousSeed),
      rendezvousPublicKey: hex(publicKeyOf(ZERO_KEYS.rendezvousSeed)),
      rendezvousKey: hex(ZERO_KEYS.rendezvousKey),
      lanTag: hex(ZERO_KEYS.lanTag),
      lanServiceName: lanServiceName(ZERO_KEYS),
      dhtKey: advertisementKey(ZERO_KEYS)
    },
    handshake: {
      initiator: { seed: hex(SEED_I), ephemeral: hex(fixed(3)), nonce: hex(fixed(5)), info: initiatorInit().info },
      joiner: { seed: hex(SEED_J), ephemeral: hex(fixed(4)), nonce: hex(fixed(6)), info: joinerInit().info },
      frames: Object.fromEntries(NAMES.map((name, i) => [name, hex(frames[i]!)])),
      wordsToCompare: ask.words,
      pairRoot: hex(savedByI.pairRoot),
      epoch: savedByI.epoch
    },
    refused: NAMES.flatMap((message, i) => mutations(frames[i]!).map(m => ({ message, ...m }))),
    advertisement: {
      ...ADVERTISED,
      nonce: hex(fixed(7, 12)),
      value: hex(makeAdvertisement(ZERO_KEYS, { ...ADVERTISED, nonce: fixed(7, 12) }))
    }
  }
}
