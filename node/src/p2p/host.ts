/**
 * The node among its peers: TCP, noise and yamux below; gossip on one work topic, direct frames, the DHT and content
 * above. It moves bytes and knows no rule of the protocol: whoever registers a handler judges what arrives.
 */
import { type GossipSub, gossipsub, type Message, TopicValidatorResult } from "@libp2p/gossipsub";
import { identify, identifyPush } from "@libp2p/identify";
import type { Connection, Libp2p, PeerId } from "@libp2p/interface";
import { type KadDHT, kadDHT, passthroughMapper } from "@libp2p/kad-dht";
import { noise } from "@libp2p/noise";
import { type Ping, ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import { createLibp2p, type Libp2pOptions } from "libp2p";
import { OperatingError } from "../errors.ts";
import { type NodeKey, peerIdOf, publicKeyOf } from "../keys/index.ts";
import type { Logger } from "../logger.ts";
import { BootstrapDialler, type BootstrapTiming, DEFAULT_BOOTSTRAP_TIMING } from "./bootstrap.ts";
import { BoundedDatastore } from "./bounded-datastore.ts";
import { type DirectHandler, DirectMessages } from "./direct.ts";
import { gossipOptions } from "./gossip-settings.ts";
import {
  DIAL_TIMEOUT_MS,
  MAX_BOOTSTRAP_ADDRESSES,
  MAX_CONNECTIONS,
  MAX_GOSSIP_BYTES,
  MAX_INBOUND_CONNECTIONS_PER_SECOND,
  MAX_LOOPBACK_CONNECTIONS_PER_SECOND,
  MAX_PENDING_INBOUND_CONNECTIONS,
  MAX_STREAM_WINDOW_BYTES,
  STOP_TIMEOUT_MS,
} from "./limits.ts";
import { Maintenance } from "./maintenance.ts";
import { type NetworkNames, networkNames } from "./names.ts";
import { type Offence, Penalties } from "./penalties.ts";
import { RedialGuard } from "./redial-guard.ts";

export type GossipVerdict = "accept" | "ignore" | "reject";
/**
 * Judges one payload, once: what it accepts is forwarded, and its acceptance is the delivery. Must answer within
 * 100 ms. "reject" costs the propagating peer score; "ignore" drops without blame, and the same bytes will not be
 * shown again for two minutes.
 */
export type GossipHandler = (fromPublicKey: Uint8Array, payload: Uint8Array) => GossipVerdict | Promise<GossipVerdict>;

export interface PeerEvent {
  type: "connected" | "disconnected";
  publicKey: Uint8Array;
}

export interface PeerView {
  publicKey: Uint8Array;
  peerId: string;
  /** Multiaddrs of the open connections to it. */
  addresses: string[];
  direction: "inbound" | "outbound";
  connectedAtMs: number;
  /** Round trip of the last ping, when there was one. */
  roundTripMs: number | undefined;
  gossipScore: number;
  penaltyPoints: number;
  inGossipMesh: boolean;
}

export interface P2pHostOptions {
  nodeKey: NodeKey;
  /** Multiaddrs to listen on, for example `/ip4/0.0.0.0/tcp/7100`; none for a node that only dials. */
  listen: readonly string[];
  /** Multiaddrs of peers to keep connections to. */
  bootstrap: readonly string[];
  /** Chain id and contract account, as in `testnet/outlayer.testnet`; it stands in every topic and protocol name. */
  networkId: string;
  logger: Logger;
  /** Where libp2p keeps peers and provider records; bounded memory when absent. */
  datastore?: NonNullable<Libp2pOptions["datastore"]>;
  /** IP addresses behind which several honest nodes stand. */
  sharedAddresses?: readonly string[];
  bootstrapTiming?: BootstrapTiming;
  gossipHeartbeatMs?: number;
  sweepMs?: number;
  minPeers?: number;
}

/** What the gossipsub class makes public and its exported interface leaves out. */
interface Gossip extends GossipSub {
  readonly streamsInbound: ReadonlyMap<string, unknown>;
  getMeshPeers(topic: string): string[];
  getScore(peerId: string): number;
}

export type HostServices = { dht: KadDHT; pubsub: Gossip; ping: Ping };

const DEFAULT_HEARTBEAT_MS = 1_000;
const DEFAULT_SWEEP_MS = 10_000;
const DEFAULT_MIN_PEERS = 8;

const VERDICTS: Record<GossipVerdict, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
};

export class P2pHost {
  readonly names: NetworkNames;
  readonly logger: Logger;
  readonly publicKey: Uint8Array;
  /** For the content exchange, which adds its own protocol to the same host. */
  readonly libp2p: Libp2p<HostServices>;
  readonly #penalties: Penalties;
  readonly #direct: DirectMessages;
  readonly #bootstrap: BootstrapDialler;
  readonly #maintenance: Maintenance;
  #gossipHandler: GossipHandler | undefined;
  #stopped: Promise<void> | undefined;

  /** @throws OperatingError p2p_address_invalid, p2p_network_id_invalid, p2p_listen_failed */
  static async start(options: P2pHostOptions): Promise<P2pHost> {
    const names = networkNames(options.networkId);
    if (options.bootstrap.length > MAX_BOOTSTRAP_ADDRESSES) {
      throw new OperatingError("p2p_address_invalid", { bootstrapAddresses: options.bootstrap.length });
    }
    const listen = options.listen.map(parseAddress);
    const bootstrap = options.bootstrap.map(parseAddress);
    const penalties = new Penalties(() => performance.now());
    const redials = new RedialGuard(() => performance.now());
    const libp2p = await createLibp2p(libp2pOptions(options, names, listen, penalties, redials));
    libp2p.addEventListener("connection:close", ({ detail: { remotePeer, timeline } }) => {
      // Of two connections to one peer the spare one is closed at once, and that says nothing about the peer.
      if (libp2p.getConnections(remotePeer).length > 0) return;
      redials.ended(remotePeer.toString(), (timeline.close ?? Date.now()) - timeline.open);
    });
    const host = new P2pHost(options, names, bootstrap, libp2p, penalties);
    try {
      await host.#start();
    } catch (error) {
      await host.stop();
      throw new OperatingError("p2p_listen_failed", { listen: options.listen.join(" ") }, error);
    }
    return host;
  }

  private constructor(
    options: P2pHostOptions,
    names: NetworkNames,
    bootstrap: readonly Multiaddr[],
    libp2p: Libp2p<HostServices>,
    penalties: Penalties,
  ) {
    this.names = names;
    this.logger = options.logger.child({ part: "p2p" });
    this.publicKey = options.nodeKey.publicKey;
    this.libp2p = libp2p;
    this.#penalties = penalties;
    this.#direct = new DirectMessages({
      libp2p,
      protocol: names.directProtocol,
      logger: this.logger,
      now: () => performance.now(),
      onOffence: (peer, offence) => this.#penalise(peer, offence),
    });
    const timing = options.bootstrapTiming ?? DEFAULT_BOOTSTRAP_TIMING;
    this.#bootstrap = new BootstrapDialler(libp2p, bootstrap, this.logger, timing);
    this.#maintenance = new Maintenance({
      libp2p,
      hears: (peer) => libp2p.services.pubsub.streamsInbound.has(peer.toString()),
      logger: this.logger,
      sweepMs: options.sweepMs ?? DEFAULT_SWEEP_MS,
      minPeers: options.minPeers ?? DEFAULT_MIN_PEERS,
    });
  }

  async #start(): Promise<void> {
    const { pubsub } = this.libp2p.services;
    pubsub.topicValidators.set(this.names.workTopic, (peer, message) => this.#judge(peer, message));
    // Handlers stand before the first connection can, or early peers would learn of none of our protocols.
    await this.#direct.start();
    await this.libp2p.start();
    pubsub.subscribe(this.names.workTopic);
    this.#bootstrap.start();
    this.#maintenance.start();
  }

  /** Our multiaddrs, each with `/p2p/<peer id>`. */
  addresses(): string[] {
    return this.libp2p.getMultiaddrs().map(String);
  }

  /**
   * Publishes to the work topic; the number of peers that it was sent to, which is 0 for a node alone and for bytes
   * that went around within the last two minutes.
   * @throws OperatingError gossip_too_large, gossip_failed, p2p_not_running
   */
  async publish(payload: Uint8Array): Promise<number> {
    if (this.#stopped) throw new OperatingError("p2p_not_running");
    if (payload.length === 0 || payload.length > MAX_GOSSIP_BYTES) {
      throw new OperatingError("gossip_too_large", { sizeBytes: payload.length, maxBytes: MAX_GOSSIP_BYTES });
    }
    try {
      const { recipients } = await this.libp2p.services.pubsub.publish(this.names.workTopic, payload);
      return recipients.length;
    } catch (error) {
      throw new OperatingError("gossip_failed", { sizeBytes: payload.length }, error);
    }
  }

  /** Sets the one judge of gossip. Until there is one, everything is ignored and nothing is forwarded. */
  onGossip(handler: GossipHandler): void {
    this.#gossipHandler = handler;
  }

  /**
   * Sends one frame to the node with this key, dialling it by peer store or DHT when there is no connection.
   * @throws OperatingError direct_too_large, direct_queue_full, peer_unreachable, p2p_not_running
   */
  send(publicKey: Uint8Array, payload: Uint8Array): Promise<void> {
    return this.#direct.send(publicKey, payload);
  }

  /** Returns the function that takes the handler away again. */
  onDirect(handler: DirectHandler): () => void {
    return this.#direct.onFrame(handler);
  }

  /** Called on the first connection to a peer and after the last; returns the function that ends it. */
  onPeer(handler: (event: PeerEvent) => void): () => void {
    const listen = (type: PeerEvent["type"]) => (event: CustomEvent<PeerId>) => {
      const publicKey = publicKeyOf(event.detail);
      if (publicKey) handler({ type, publicKey });
    };
    const connected = listen("connected");
    const disconnected = listen("disconnected");
    this.libp2p.addEventListener("peer:connect", connected);
    this.libp2p.addEventListener("peer:disconnect", disconnected);
    return () => {
      this.libp2p.removeEventListener("peer:connect", connected);
      this.libp2p.removeEventListener("peer:disconnect", disconnected);
    };
  }

  peers(): PeerView[] {
    const byPeer = Map.groupBy(this.libp2p.getConnections(), (connection) => connection.remotePeer.toString());
    const mesh = new Set(this.libp2p.services.pubsub.getMeshPeers(this.names.workTopic));
    const views: PeerView[] = [];
    for (const [peerId, connections] of byPeer) {
      const view = this.#peerView(peerId, connections as [Connection, ...Connection[]], mesh.has(peerId));
      if (view) views.push(view);
    }
    return views;
  }

  /** Notes what a peer did wrong outside gossip; enough of it closes its connections and keeps it out for a while. */
  penalise(publicKey: Uint8Array, offence: Offence): void {
    this.#penalise(peerIdOf(publicKey), offence);
  }

  /** Remembers where a peer can be dialled, as from the contract's registry or the node's store. */
  async addAddresses(publicKey: Uint8Array, addresses: readonly string[]): Promise<void> {
    await this.libp2p.peerStore.merge(peerIdOf(publicKey), { multiaddrs: addresses.map(parseAddress) });
  }

  /** Ends within a few seconds whatever the peers do; further calls wait for the same end. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#maintenance.stop();
    this.#bootstrap.stop();
    this.#direct.stop();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), STOP_TIMEOUT_MS);
    });
    const ended = await Promise.race([this.libp2p.stop(), late]);
    clearTimeout(timer);
    if (ended !== "late") return;
    this.logger.warn("connections did not close in time and were cut");
    for (const connection of this.libp2p.getConnections()) connection.abort(new OperatingError("p2p_not_running"));
  }

  #peerView(peerId: string, connections: [Connection, ...Connection[]], inGossipMesh: boolean): PeerView | undefined {
    const publicKey = publicKeyOf(connections[0].remotePeer);
    if (!publicKey) return undefined;
    return {
      publicKey,
      peerId,
      addresses: connections.map((connection) => connection.remoteAddr.toString()),
      direction: connections[0].direction,
      connectedAtMs: Math.min(...connections.map((connection) => connection.timeline.open)),
      roundTripMs: connections[0].rtt,
      gossipScore: this.libp2p.services.pubsub.getScore(peerId),
      penaltyPoints: this.#penalties.points(peerId),
      inGossipMesh,
    };
  }

  async #judge(peer: PeerId, message: Message): Promise<TopicValidatorResult> {
    const from = publicKeyOf(peer);
    if (!this.#gossipHandler || !from) return TopicValidatorResult.Ignore;
    if (message.data.length === 0 || message.data.length > MAX_GOSSIP_BYTES) return TopicValidatorResult.Reject;
    try {
      return VERDICTS[await this.#gossipHandler(from, message.data)];
    } catch (error) {
      this.logger.error("the gossip handler threw", { peer: peer.toString() }, error);
      return TopicValidatorResult.Ignore;
    }
  }

  #penalise(peer: PeerId, offence: Offence): void {
    const banned = this.#penalties.add(peer.toString(), offence);
    this.logger.info("peer penalised", { peer: peer.toString(), offence, banned });
    if (!banned) return;
    for (const connection of this.libp2p.getConnections(peer)) connection.abort(new Error(`banned for ${offence}`));
  }
}

function libp2pOptions(
  options: P2pHostOptions,
  names: NetworkNames,
  listen: readonly Multiaddr[],
  penalties: Penalties,
  redials: RedialGuard,
): Libp2pOptions<HostServices & { identify: unknown; identifyPush: unknown }> {
  const loopbackOnly = listen.every(isLoopback);
  // Only nodes with an ed25519 key take part, and none that is banned.
  const unwelcome = (peer: PeerId) => publicKeyOf(peer) === undefined || penalties.isBanned(peer.toString());
  return {
    start: false,
    privateKey: options.nodeKey.libp2pPrivateKey(),
    addresses: { listen: listen.map(String) },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        streamOptions: {
          maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES,
          maxReadBufferLength: MAX_STREAM_WINDOW_BYTES,
        },
      }),
    ],
    datastore: options.datastore ?? new BoundedDatastore(options.nodeKey.peerId.toString()),
    connectionGater: {
      denyDialPeer: (peer) => unwelcome(peer) || !redials.mayDial(peer.toString()),
      denyInboundEncryptedConnection: unwelcome,
      denyOutboundEncryptedConnection: unwelcome,
    },
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      maxIncomingPendingConnections: MAX_PENDING_INBOUND_CONNECTIONS,
      inboundConnectionThreshold: loopbackOnly
        ? MAX_LOOPBACK_CONNECTIONS_PER_SECOND
        : MAX_INBOUND_CONNECTIONS_PER_SECOND,
      dialTimeout: DIAL_TIMEOUT_MS,
    },
    // Its pings fail under load while the connection is well; our own sweep judges by several in a row.
    connectionMonitor: { enabled: false },
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping(),
      dht: kadDHT({
        protocol: names.dhtProtocol,
        clientMode: false,
        // The default strips private addresses, and then `provide` waits for ever on a private network.
        peerInfoMapper: passthroughMapper,
      }),
      pubsub: gossipsub(
        gossipOptions({
          topic: names.workTopic,
          loopbackOnly,
          sharedAddresses: options.sharedAddresses ?? [],
          penaltyPoints: (peer) => penalties.points(peer),
          heartbeatIntervalMs: options.gossipHeartbeatMs ?? DEFAULT_HEARTBEAT_MS,
        }),
      ) as (components: Parameters<ReturnType<typeof gossipsub>>[0]) => Gossip,
    },
  };
}

function parseAddress(text: string): Multiaddr {
  try {
    return multiaddr(text);
  } catch (error) {
    throw new OperatingError("p2p_address_invalid", { address: text.slice(0, 256) }, error);
  }
}

function isLoopback(address: Multiaddr): boolean {
  const host = address.getComponents()[0];
  return (host?.name === "ip4" && !!host.value?.startsWith("127.")) || (host?.name === "ip6" && host.value === "::1");
}
