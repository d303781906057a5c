/** The host function that verifies ML-DSA-65 signatures (FIPS 204, without a context), by OpenSSL 3.5. */
import { createPublicKey, verify } from "node:crypto";
import { hostError } from "../vm-error.ts";
import { type HostFunctions, query } from "./host-function.ts";

const SIGNATURE_BYTES = 3309;
const KEY_BYTES = 1952;
/** The DER around a raw key: id-ml-dsa-65, 2.16.840.1.101.3.4.3.18. */
const SPKI_PREFIX = Buffer.from("308207b2300b0609608648016503040312038207a100", "hex");

const PROBLEM = "ML-DSA-65 signature verification error: invalid";

function requireLength(what: "signature" | "key", bytes: Uint8Array, expected: number): void {
  if (bytes.length === expected) return;
  const lengths = `expected the input of ${expected} bytes, but ${bytes.length} was given`;
  throw hostError("MlDsaVerifyInvalidInput", `${PROBLEM} ${what} length: ${lengths}`);
}

/** A Node without ML-DSA throws here, and does not pretend that the signature is bad. */
function verifySignature(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
  const spki = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, key]), format: "der", type: "spki" });
  return verify(null, message, spki, signature);
}

export const mlDsaFunctions: HostFunctions = {
  ml_dsa_verify: query(
    6,
    (call, signatureLength, signaturePointer, messageLength, messagePointer, keyLength, keyPointer) => {
      call.gas.payBase("ml_dsa_verify_base");
      const signature = call.readArgument(signatureLength!, signaturePointer!);
      requireLength("signature", signature, SIGNATURE_BYTES);
      const message = call.readArgument(messageLength!, messagePointer!);
      call.gas.payPer("ml_dsa_verify_byte", message.length);
      const key = call.readArgument(keyLength!, keyPointer!);
      requireLength("key", key, KEY_BYTES);
      return verifySignature(signature, message, key) ? 1n : 0n;
    },
  ),
};
