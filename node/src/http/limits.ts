/** Bounds of the local HTTP server, each with its reason. What arrives as content is bounded by `MAX_CODE_BYTES`. */

/** Ports tried after the configured one: enough for a handful of nodes on one machine. */
export const MAX_PORT_TRIES = 10;
export const MAX_HTTP_CONNECTIONS = 256;
/** People with the page open; each costs a socket and a snapshot a second. */
export const MAX_EVENT_LISTENERS = 32;
/** A listener that has not taken this much is closed; it comes back with the id of the last event it saw. */
export const MAX_LISTENER_BACKLOG_BYTES = 8 << 20;
/** Events kept for those who come (back), by number and, because a receipt holds a whole output, by size. */
export const MAX_KEPT_EVENTS = 500;
export const MAX_KEPT_EVENT_BYTES = 4 << 20;
/** A receipt can hold 256 KiB of output, so a page of them stays near 25 MiB at the very worst. */
export const MAX_RECEIPTS_PER_PAGE = 100;
export const DEFAULT_RECEIPTS_PER_PAGE = 25;
/** Rows of one snapshot; the registry and the open requests can be far longer, and their totals are told. */
export const MAX_STATUS_NODES = 500;
export const MAX_STATUS_REQUESTS = 200;
export const MAX_STATUS_PEERS = 500;
/** Files of the built page: two scripts, a style, an icon and room to grow. */
export const MAX_PAGE_FILES = 64;
export const MAX_PAGE_FILE_BYTES = 4 << 20;
/** Headers must arrive within this, and a whole request (10 MiB of content at most) within the other. */
export const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 60_000;
/** How often a snapshot goes out while somebody listens; it is the stream's heartbeat too. */
export const STATUS_INTERVAL_MS = 1_000;
