/** Limits of the network (docs/limits.md), each with its reason. Those of the hello and of frames stand with their protocols. */

/** Strangers while a pairing code is open: the one who types the words, and room for three who happen by. */
export const MAX_STRANGERS = 4
/** Of them from one address (IPv6: one /64). */
export const MAX_STRANGERS_PER_SOURCE = 2
/** What a stranger may send, counted on the raw connection, before its valid PairingRequest: the handshakes take under 4 KiB. */
export const MAX_STRANGER_BYTES = 64 * 1024
/** Likewise in all its life: a whole pairing is four frames of 4 KiB at most, and Yamux keep-alives. */
export const MAX_STRANGER_TOTAL_BYTES = 256 * 1024
/** A stranger without a verified Response is cut after this. */
export const STRANGER_TIMEOUT_MS = 45_000
/** A stranger whose Response is verified waits for a person: 150 s, and the rest of the handshake. */
export const STRANGER_ANSWER_MS = 200_000

/** Inbound connections that have not said who they are (Noise). Each costs a socket and a handshake of under 5 s. */
export const MAX_PENDING = 32
/** New inbound connections of one source: a peer that redials its addresses in parallel makes 8 at most. */
export const CONNECTS_PER_SECOND = 5
export const CONNECT_BURST = 20
/** Sources whose rate is remembered; the longest unseen gives way. */
export const MAX_SOURCES = 1024
/** From the TCP connection to the end of Noise and Yamux negotiation. */
export const UPGRADE_TIMEOUT_MS = 5_000
/** Connections of one device at once: two dialled at the same time, and as many that are dead but not yet noticed. */
export const MAX_CONNECTIONS_PER_DEVICE = 4
/** All connections: 60 devices with 4 each. */
export const MAX_CONNECTIONS = 256

/** Yamux: bytes a stream may have in flight to us; transfer's credits (8 MiB) fit. No legitimate data frame is longer. */
export const MAX_STREAM_WINDOW_BYTES = 8 * 1024 * 1024
/** Above the window, or yamux would reset streams that use it fully. */
export const MAX_READ_BUFFER_BYTES = 16 * 1024 * 1024
/** What may wait for a peer that does not read: writers wait for `drain` long before. */
export const MAX_WRITE_BUFFER_BYTES = 16 * 1024 * 1024
/** Streams of one connection, each way. */
export const MAX_STREAMS = 256
/** Streams of one protocol that one device may have open at once, unless its handler says otherwise. */
export const MAX_PROTOCOL_STREAMS = 32
/** Streams a device may open: a steady rate and a burst; after some too many the connection is cut and the device shut out. */
export const STREAMS_PER_SECOND = 50
export const STREAM_BURST = 200
export const MAX_STREAM_VIOLATIONS = 5
export const BAN_MS = 60_000
/** Our own opening is paced below that, so that two clocks that differ do no harm. */
export const OPENS_PER_SECOND = 40
export const OPEN_BURST = 150
/** Negotiating the protocol of a stream, not counting what a link that is full takes (`patientDeadline`). */
export const NEGOTIATION_TIMEOUT_MS = 5_000
/** At the side that answers: its word may wait behind what is written to the connection already, 256 KiB at 8 KiB/s. */
export const ANSWERING_TIMEOUT_MS = 60_000

/** Between pings on a quiet connection; two unanswered with no byte received in between end it. */
export const PING_INTERVAL_MS = 10_000
export const MAX_UNANSWERED_PINGS = 2
/** How long a connection that may be dead has to show life: after a network change, or beside a newer one. */
export const PROBE_TIMEOUT_MS = 3_000

/** Between the dials of a device's addresses. */
export const DIAL_STAGGER_MS = 250
/** One address: connecting, Noise, Yamux. */
export const DIAL_ADDRESS_TIMEOUT_MS = 5_000
/** All addresses of a device. */
export const DIAL_TIMEOUT_MS = 10_000
/** Addresses of one device that are dialled in one attempt. */
export const MAX_DIALLED_ADDRESSES = 8
/** A lost device is dialled again after 1 s, then ever later, up to 60 s, with jitter. */
export const RECONNECT_FIRST_MS = 1_000
export const RECONNECT_LAST_MS = 60_000
/** Dials that somebody on the LAN can cause by announcing addresses, for each device. */
export const DISCOVERY_DIALS_PER_MINUTE = 4
/** Peers seen on the network that are remembered; the longest unseen gives way. */
export const MAX_DISCOVERED = 256
/** How often the interfaces are compared, since the system does not tell of a change. */
export const INTERFACE_POLL_MS = 3_000
