/** Seals this node's messages and opens those of others: the one place where envelope signatures are made and checked. */
import { decode, encode, WireError } from "@outlayer/protocol/wire/borsh";
import {
  asVerified,
  envelope,
  envelopeDigest,
  type PeerMessage,
  peerMessage,
  type Verified,
} from "@outlayer/protocol/wire/messages";
import { type NodeKey, verifyEd25519 } from "../keys/index.ts";

export interface EnvelopeIdentity {
  readonly networkId: string;
  readonly accountId: string;
  readonly nodeKey: NodeKey;
}

export function seal({ networkId, accountId, nodeKey }: EnvelopeIdentity, message: PeerMessage): Uint8Array {
  const body = encode(peerMessage, message);
  const signature = nodeKey.sign(envelopeDigest(networkId, accountId, nodeKey.publicKey, body));
  return encode(envelope, { sender: accountId, publicKey: nodeKey.publicKey, body, signature });
}

/** A message whose signature holds, or nothing: what is malformed and what is forged are both somebody's fault. */
export function unseal(networkId: string, bytes: Uint8Array): Verified<PeerMessage> | undefined {
  try {
    const { sender, publicKey, body, signature } = decode(envelope, bytes);
    if (!verifyEd25519(publicKey, envelopeDigest(networkId, sender, publicKey, body), signature)) return undefined;
    return asVerified(sender, publicKey, decode(peerMessage, body));
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
