/** The bounds of everything that a peer can make this node hold, send or do, with the reason for each. */

/** A gossip message reaches every node, so it stays small; larger things travel as content by hash. */
export const MAX_GOSSIP_BYTES = 64 * 1024;
/** One frame of gossipsub holds many messages and control; a smaller bound leaves peers connected but deaf. */
export const MAX_GOSSIP_FRAME_BYTES = 4 * 1024 * 1024;
/** What may wait for a peer that reads gossip slowly before its stream is reset. */
export const MAX_GOSSIP_OUTBOUND_BYTES = 8 * 1024 * 1024;
/** One topic is allowed, so this only has to hold its name and the bookkeeping around it. */
export const MAX_GOSSIP_TOPIC_BYTES_PER_PEER = 8 * 1024;

/** Direct frames carry reveals, shares and attestations of one request: far below a mebibyte. */
export const MAX_DIRECT_FRAME_BYTES = 1024 * 1024;
/** Frames and bytes that may wait for one peer; beyond, `send` fails by name instead of holding memory. */
export const MAX_DIRECT_QUEUE_FRAMES = 256;
export const MAX_DIRECT_QUEUE_BYTES = 4 * 1024 * 1024;
/** Peers with an outbound direct stream or queue at once: more than any committee. */
export const MAX_DIRECT_PEERS = 512;
/** What one peer may send: the burst fits a reveal from every request of a busy block. */
export const DIRECT_BYTES_PER_SECOND = 4 * 1024 * 1024;
export const DIRECT_BURST_BYTES = 8 * 1024 * 1024;
export const DIRECT_FRAMES_PER_SECOND = 500;
export const DIRECT_BURST_FRAMES = 2_000;
/** Budgets outlive a connection, so that dialling anew does not refill them; the oldest is forgotten first. */
export const MAX_TRACKED_BUDGETS = 2_048;

export const DIAL_TIMEOUT_MS = 10_000;
/** A peer that accepts no byte for this long is as good as gone. */
export const WRITE_STALL_TIMEOUT_MS = 20_000;
/** Bounds `stop`: what has not closed by then is cut. */
export const STOP_TIMEOUT_MS = 3_000;

export const MAX_CONNECTIONS = 300;
export const MAX_PENDING_INBOUND_CONNECTIONS = 100;
/** New connections a second from one address: many nodes may stand behind one, as behind a NAT. */
export const MAX_INBOUND_CONNECTIONS_PER_SECOND = 50;
/** On loopback every node of a cluster shares the address. */
export const MAX_LOOPBACK_CONNECTIONS_PER_SECOND = 1_000;
/** The receive window of a stream; also what a paused reader can be made to hold. */
export const MAX_STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
export const MAX_BOOTSTRAP_ADDRESSES = 64;

/** Provider records held for other peers. A request looks through all of them, which takes about a millisecond. */
export const MAX_DHT_RECORDS = 16_384;
/** Peers whose addresses and protocols are remembered while the node runs. */
export const MAX_KNOWN_PEERS = 4_096;

export const CONTENT_CHUNK_BYTES = 256 * 1024;
/** Uploads at once, to all peers and to one; a refused asker tries another provider. */
export const MAX_CONTENT_UPLOADS = 32;
export const MAX_CONTENT_UPLOADS_PER_PEER = 4;
/** Different hashes being fetched at once; a caller beyond waits. */
export const MAX_CONTENT_FETCHES = 64;
/** Providers tried for one fetch; more would only let a crowd of bad ones hold it up. */
export const MAX_PROVIDERS_PER_FETCH = 16;
/** How long the search for providers may find nothing. An absent id costs a whole walk of the DHT otherwise. */
export const CONTENT_LOOKUP_TIMEOUT_MS = 8_000;
/** A provider must deliver this many bytes in each period, so that dripping bytes holds nobody up. */
export const CONTENT_STALL_MS = 5_000;
export const CONTENT_MIN_BYTES_PER_STALL = 64 * 1024;
export const CONTENT_ANNOUNCE_TIMEOUT_MS = 30_000;
export const MAX_CONCURRENT_ANNOUNCEMENTS = 4;
/** As many as the store's index holds, so that a restarted node can announce all of it. */
export const MAX_WAITING_ANNOUNCEMENTS = 65_536;
