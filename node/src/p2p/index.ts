/** Peer-to-peer drivers: the host (gossip, direct frames, peers) and the exchange of content by hash. */
export { type BootstrapTiming, DEFAULT_BOOTSTRAP_TIMING } from "./bootstrap.ts";
export {
  ContentExchange,
  type ContentExchangeOptions,
  type ContentRejection,
  type FetchRequest,
} from "./content.ts";
export type { ContentRejectionReason } from "./content-download.ts";
export { CONTENT_HASH_BYTES, cidOf, hashOfCid } from "./content-id.ts";
export type { ContentSource } from "./content-server.ts";
export type { DirectHandler } from "./direct.ts";
export {
  type GossipHandler,
  type GossipVerdict,
  P2pHost,
  type P2pHostOptions,
  type PeerEvent,
  type PeerView,
} from "./host.ts";
export { MAX_DIRECT_FRAME_BYTES, MAX_GOSSIP_BYTES } from "./limits.ts";
export type { NetworkNames } from "./names.ts";
export type { Offence } from "./penalties.ts";
