/** Host functions that hash and verify. */
import { createHash } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { ripemd160 } from "@noble/hashes/legacy.js";
import { keccak_256, keccak_512, sha3_256, sha3_384, sha3_512 } from "@noble/hashes/sha3.js";
import { recoverSecp256k1, verifyEd25519 } from "../../codec/public-key.ts";
import type { ExtCost } from "../../parameters/protocol-config.ts";
import { hostError } from "../vm-error.ts";
import { type HostFunction, type HostFunctions, procedure, query } from "./host-function.ts";

function hash(base: ExtCost, byte: ExtCost, digest: (value: Uint8Array) => Uint8Array): HostFunction {
  return procedure(3, (call, length, pointer, register) => {
    call.gas.payBase(base);
    const value = call.readArgument(length!, pointer!);
    call.gas.payPer(byte, value.length);
    call.registers.set(register!, digest(value));
  });
}

const recoverError = (message: string) => hostError("ECRecoverError", `ECDSA recover error: ${message}`);
const ed25519Error = (message: string) =>
  hostError("Ed25519VerifyInvalidInput", `ED25519 signature verification error: ${message}`);
const p256Error = (message: string) =>
  hostError("P256VerifyInvalidInput", `P256 signature verification error: ${message}`);

const scalar = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);

/** r and s in range; with `lowOnly`, s in the lower half of the order. */
function isSecp256k1Signature(rs: Uint8Array, lowOnly: boolean): boolean {
  const order = secp256k1.Point.Fn.ORDER;
  const r = scalar(rs.subarray(0, 32));
  const s = scalar(rs.subarray(32));
  return r > 0n && r < order && s > 0n && s < (lowOnly ? order / 2n + 1n : order);
}

const ecrecover = query(
  7,
  (call, hashLength, hashPointer, signatureLength, signaturePointer, v, malleability, register) => {
    call.gas.payBase("ecrecover_base");
    const signature = call.readArgument(signatureLength!, signaturePointer!);
    if (signature.length !== 64) {
      throw recoverError(`The length of the signature: ${signature.length}, exceeds the limit of 64 bytes`);
    }
    if (v! >= 4n) throw recoverError(`V recovery byte 0 through 3 are valid but was provided ${v}`);
    const digest = call.readArgument(hashLength!, hashPointer!);
    if (digest.length !== 32) {
      throw recoverError(`The length of the hash: ${digest.length}, exceeds the limit of 32 bytes`);
    }
    if (malleability! > 1n) throw recoverError(`Malleability flag needs to be 0 or 1, but is instead ${malleability}`);
    if (!isSecp256k1Signature(signature, malleability === 1n)) return 0n;
    const key = recoverSecp256k1(digest, signature, Number(v));
    if (key === undefined) return 0n;
    call.registers.set(register!, key);
    return 1n;
  },
);

const ed25519Verify = query(
  6,
  (call, signatureLength, signaturePointer, messageLength, messagePointer, keyLength, keyPointer) => {
    call.gas.payBase("ed25519_verify_base");
    const signature = call.readArgument(signatureLength!, signaturePointer!);
    if (signature.length !== 64) throw ed25519Error("invalid signature length");
    if ((signature[63]! & 0b1110_0000) !== 0) return 0n;
    const message = call.readArgument(messageLength!, messagePointer!);
    call.gas.payPer("ed25519_verify_byte", message.length);
    const key = call.readArgument(keyLength!, keyPointer!);
    if (key.length !== 32) throw ed25519Error("invalid public key length");
    return verifyEd25519(signature, message, key) ? 1n : 0n;
  },
);

/** What the p256 crate makes of a digest: half a field element is the least, what is beyond one is cut off. */
const P256_MIN_PREHASH_BYTES = 16;
const P256_FIELD_BYTES = 32;

function verifyP256(signature: Uint8Array, prehash: Uint8Array, key: Uint8Array): boolean {
  if (prehash.length < P256_MIN_PREHASH_BYTES) return false;
  try {
    return p256.verify(signature, prehash.subarray(0, P256_FIELD_BYTES), key, { prehash: false, lowS: false });
  } catch {
    return false; // not a point of the curve
  }
}

const p256Verify = query(
  6,
  (call, signatureLength, signaturePointer, messageLength, messagePointer, keyLength, keyPointer) => {
    call.gas.payBase("p256_verify_base");
    const signature = call.readArgument(signatureLength!, signaturePointer!);
    if (signature.length !== 64) throw p256Error("invalid signature length");
    const order = p256.Point.Fn.ORDER;
    const parts = [scalar(signature.subarray(0, 32)), scalar(signature.subarray(32))];
    if (parts.some((part) => part === 0n || part >= order)) return 0n;
    const message = call.readArgument(messageLength!, messagePointer!);
    call.gas.payPer("p256_verify_byte", message.length);
    const key = call.readArgument(keyLength!, keyPointer!);
    if (key.length !== 33) throw p256Error("invalid public key length");
    return verifyP256(signature, message, key) ? 1n : 0n;
  },
);

export const cryptoFunctions: HostFunctions = {
  sha256: hash("sha256_base", "sha256_byte", (value) => createHash("sha256").update(value).digest()),
  keccak256: hash("keccak256_base", "keccak256_byte", keccak_256),
  keccak512: hash("keccak512_base", "keccak512_byte", keccak_512),
  sha3_256: hash("sha3_256_base", "sha3_256_byte", sha3_256),
  sha3_384: hash("sha3_384_base", "sha3_384_byte", sha3_384),
  sha3_512: hash("sha3_512_base", "sha3_512_byte", sha3_512),
  ripemd160: procedure(3, (call, length, pointer, register) => {
    call.gas.payBase("ripemd160_base");
    const value = call.readArgument(length!, pointer!);
    call.gas.payPer("ripemd160_block", Math.floor((value.length + 8) / 64) + 1);
    call.registers.set(register!, ripemd160(value));
  }),
  ecrecover,
  ed25519_verify: ed25519Verify,
  p256_verify: p256Verify,
};
