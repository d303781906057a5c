/** The node's network key and its names. */
export {
  NodeKey,
  PUBLIC_KEY_BYTES,
  peerIdOf,
  publicKeyOf,
  publicKeyText,
  SIGNATURE_BYTES,
  verifyEd25519,
} from "./node-key.ts";
