/** ed25519 keys that follow from the scenario's seed, through the platform's own implementation. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { Random } from "@outlayer/protocol/random";

/** DER headers of RFC 8410 for a PKCS #8 private key and a SubjectPublicKeyInfo; the raw 32 bytes follow. */
const PRIVATE_HEADER = Buffer.from("302e020100300506032b657004220420", "hex");
const PUBLIC_HEADER = Buffer.from("302a300506032b6570032100", "hex");

export class SimKey {
  readonly publicKey: Uint8Array;
  readonly #key: KeyObject;

  constructor(random: Random) {
    const der = Buffer.concat([PRIVATE_HEADER, random.bytes(32)]);
    this.#key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    const spki = createPublicKey(this.#key).export({ format: "der", type: "spki" });
    this.publicKey = new Uint8Array(spki.subarray(PUBLIC_HEADER.length));
  }

  sign(message: Uint8Array): Uint8Array {
    return new Uint8Array(sign(null, message, this.#key));
  }
}

export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_HEADER, publicKey]), format: "der", type: "spki" });
  return verify(null, message, key, signature);
}
