/**
 * Settings of gossipsub for the one work topic. Every payload is an envelope that its author signed, so gossipsub
 * itself signs nothing (StrictNoSign) and names a message by the hash of its bytes: the same envelope that reaches a
 * node along several ways, or is published by several nodes, is delivered once.
 */
import { createHash } from "node:crypto";
import type { GossipsubOpts } from "@libp2p/gossipsub";
import { createTopicScoreParams } from "@libp2p/gossipsub/score";
import { MAX_GOSSIP_FRAME_BYTES, MAX_GOSSIP_OUTBOUND_BYTES, MAX_GOSSIP_TOPIC_BYTES_PER_PEER } from "./limits.ts";

const MESSAGE_ID_BYTES = 20;

export interface GossipSettings {
  topic: string;
  /** Nodes of a cluster on one machine share an address and must not be punished for it. */
  loopbackOnly: boolean;
  /** IP addresses that several honest nodes share, exempt from the colocation penalty. */
  sharedAddresses: readonly string[];
  /** Points from outside gossip, subtracted from a peer's score. */
  penaltyPoints(peerId: string): number;
  heartbeatIntervalMs: number;
}

export function gossipOptions(settings: GossipSettings): Partial<GossipsubOpts> {
  return {
    globalSignaturePolicy: "StrictNoSign",
    allowedTopics: [settings.topic],
    // A node alone still publishes: its own state must not depend on who listens.
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    emitSelf: false,
    fallbackToFloodsub: false,
    msgIdFn: (message) => sha256(message.data).subarray(0, MESSAGE_ID_BYTES),
    // Found in the duplicate cache before anything is decoded. As strong a hash as the id itself: a weaker one
    // would let somebody have an honest message dropped as a duplicate of another.
    fastMsgIdFn: (message) => sha256(message.data ?? new Uint8Array()).toString("latin1"),
    maxInboundDataLength: MAX_GOSSIP_FRAME_BYTES,
    maxOutboundBufferSize: MAX_GOSSIP_OUTBOUND_BYTES,
    maxTopicBytesPerPeer: MAX_GOSSIP_TOPIC_BYTES_PER_PEER,
    heartbeatInterval: settings.heartbeatIntervalMs,
    scoreParams: {
      IPColocationFactorWeight: settings.loopbackOnly ? 0 : -5,
      IPColocationFactorWhitelist: new Set(["127.0.0.1", "::1", ...settings.sharedAddresses]),
      appSpecificScore: (peerId) => -settings.penaltyPoints(peerId),
      appSpecificWeight: 1,
      topicScoreCap: 50,
      topics: {
        // The defaults pay for mere presence so much that rejected messages never bring a score below zero.
        // Mesh delivery quotas stay off: work is too irregular for them.
        [settings.topic]: createTopicScoreParams({
          topicWeight: 1,
          timeInMeshWeight: 0.03,
          timeInMeshQuantum: 1000,
          timeInMeshCap: 300,
          firstMessageDeliveriesWeight: 0.1,
          firstMessageDeliveriesDecay: 0.99,
          firstMessageDeliveriesCap: 50,
          meshMessageDeliveriesWeight: 0,
          meshFailurePenaltyWeight: 0,
          invalidMessageDeliveriesWeight: -20,
          invalidMessageDeliveriesDecay: 0.99,
        }),
      },
    },
    scoreThresholds: {
      gossipThreshold: -40,
      publishThreshold: -80,
      graylistThreshold: -160,
      acceptPXThreshold: 10,
      opportunisticGraftThreshold: 5,
    },
  };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
