/**
 * Makes test/protocols/pairing/vectors.json: every value that follows from the all-zero code, one whole handshake with fixed
 * keys and nonces, and for each field of each message one frame that must be refused.
 *
 *   node dist/scripts/pairing-vectors.js > test/protocols/pairing/vectors.json
 *
 * A change of this file's output is a change of the protocol: it needs a new protocol id.
 */
import { makeVectors } from '../test/protocols/pairing/make-vectors.js'

process.stdout.write(`${JSON.stringify(makeVectors(), null, 2)}\n`)
