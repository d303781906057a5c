/** Random lists of host calls: mostly meaningful, so that they get far, with one wrong value now and then. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bn254 } from "@noble/curves/bn254.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { DataSegment, HOST_SIGNATURES, type HostInvocation, hostCallModule, IN_REGISTER } from "./host-calls.ts";
import type { Random } from "./random.ts";
import type { OracleCall, OracleScenario } from "./scenario.ts";

/** Values for one parameter, or for a length and a pointer. */
type Values = (random: Random, data: DataSegment) => bigint[];

const U64_MAX = (1n << 64n) - 1n;
/** Results of host calls end below this; above it is scratch memory that calls may write to. */
const SCRATCH_POINTER = 2048n;

const number =
  (pick: (random: Random) => bigint): Values =>
  (random) => [random.chance(40) ? random.u64() : pick(random)];

/** Bytes in memory, or, rarely, what a register has, or nothing that exists. */
const bytes =
  (pick: (random: Random) => Uint8Array | readonly number[] | string): Values =>
  (random, data) => {
    if (random.chance(25)) return [IN_REGISTER, BigInt(random.below(4))];
    if (random.chance(60)) return [random.u64() >> BigInt(random.below(64)), random.u64() >> BigInt(random.below(64))];
    const content = pick(random);
    return data.add(random.chance(30) ? mutated(content, random) : content);
  };

function mutated(content: Uint8Array | readonly number[] | string, random: Random): Uint8Array {
  const copy = typeof content === "string" ? Buffer.from(content) : Uint8Array.from(content);
  if (copy.length === 0 || random.chance(3)) return copy.slice(0, random.below(copy.length + 1));
  copy[random.below(copy.length)]! ^= 1 << random.below(8);
  return copy;
}

const account = bytes((random) =>
  random.pick(["bob.test", "contract.test", "a.b.c", "0".repeat(64), `0x${"0".repeat(40)}`, "Bad", "", "x".repeat(65)]),
);
const method = bytes((random) => random.pick(["call", "ping", "", "\u00e9", "m".repeat(300)]));
const blob = bytes((random) => random.bytes(random.pick([0, 1, 7, 32, 64, 100, 500])));
const key = bytes((random) => random.pick(["a", "b", "key", "", "k".repeat(2049)]));
const value = bytes((random) => random.bytes(random.pick([0, 3, 40, 4001])));
const text = bytes((random) => random.pick(["hello", "", "\u{1f600}", "l".repeat(9000), [0xff, 0xfe], "a\0b"]));
const utf16 = bytes((random) => random.pick([Buffer.from("hello", "utf16le"), [0x00, 0xd8], [1], []]));
const register = number((random) => BigInt(random.below(4)));
const promise = number((random) => BigInt(random.below(5)));
const gas = number((random) => BigInt(random.pick([0, 1, 1_000_000_000, 5_000_000_000_000])));
const weight = number((random) => BigInt(random.pick([0, 1, 3])));
const small = number((random) => BigInt(random.below(5)));
const scratch: Values = (random) => [random.chance(30) ? random.u64() : SCRATCH_POINTER];
const amount: Values = (random, data) => {
  if (random.chance(40)) return [random.u64()];
  const size = Buffer.alloc(16);
  size.writeBigUInt64LE(random.pick([0n, 1n, 10n ** 15n, U64_MAX]));
  if (random.chance(10)) size[15] = 0xff;
  return [data.add(size)[1]];
};
/** The ids of the first yields that the oracle's mock makes. */
const dataId = bytes((random) => {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64LE(BigInt(random.below(2)));
  return createHash("sha256").update(counter).digest();
});
const yieldId = bytes((random) => new Uint8Array(32).fill(random.below(2)));
const publicKey = bytes((random) => {
  if (random.chance(3)) return [1, ...random.bytes(64)];
  return [0, ...random.bytes(32)];
});
const methodNames = bytes((random) => random.pick(["", "a", "a,b,c", "a,,b", ",", [0x61, 0x2c, 0xff]]));
const codeHash = bytes((random) => random.bytes(random.chance(8) ? 31 : 32));
const nonces = number((random) => BigInt(random.pick([0, 1, 2, 16, 1024, 65_536])));
const framed = (content: readonly number[]) => [content.length, 0, 0, 0, ...content];
/** A universal account's state, at times out of order, with something twice, or with tags that are none. */
const stateInit = bytes((random) => {
  const contracts = [
    [0],
    [1, 0, ...random.bytes(32)],
    [1, 1, ...framed([...Buffer.from("bob.test")])],
    [1, 1, 1, 0, 0, 0, 66],
    [2],
  ];
  const count = random.below(4);
  const names = Array.from({ length: count }, (_, index) => (random.chance(6) ? random.below(3) : index));
  const entries = names.flatMap((name) => [...framed([97, name]), ...framed(random.bytes(random.below(3)))]);
  const tags = Array.from({ length: random.below(3) }, () => random.pick([0, 0, 0, 1, 3, 2]));
  if (!random.chance(5)) tags.sort((a, b) => a - b);
  const keys = tags.flatMap((tag, index) => [tag, index, ...random.bytes(tag === 1 ? 63 : 31)]);
  return [
    random.chance(20) ? 1 : 0,
    ...random.pick(contracts.slice(0, random.chance(6) ? 5 : 3)),
    ...[count, 0, 0, 0],
    ...entries,
    ...[tags.length, 0, 0, 0],
    ...keys,
  ];
});
const promiseIndices: Values = (random, data) => {
  const count = random.below(4);
  const list = Buffer.alloc(8 * count);
  for (let i = 0; i < count; i++) list.writeBigUInt64LE(BigInt(random.below(4)), 8 * i);
  return [data.add(list)[1], random.chance(20) ? random.u64() : BigInt(count)];
};

const seedOf = (random: Random) => Uint8Array.from(random.bytes(32));
const reduced = (random: Random, order: bigint) =>
  (BigInt(`0x${Buffer.from(random.bytes(48)).toString("hex")}`) % (order - 1n)) + 1n;

function signed(random: Random, kind: "ed25519" | "p256" | "mlDsa"): Values {
  return (_, data) => {
    const message = Uint8Array.from(random.bytes(random.pick([0, 20, 32, 100])));
    const [signature, publicPart] = signatureOf(kind, message, random);
    return [bytes(() => signature), bytes(() => message), bytes(() => publicPart)].flatMap((make) =>
      make(random, data),
    );
  };
}

function signatureOf(
  kind: "ed25519" | "p256" | "mlDsa",
  message: Uint8Array,
  random: Random,
): [Uint8Array, Uint8Array] {
  if (kind === "mlDsa") {
    const { privateKey, publicKey: key } = mlDsaKeys();
    return [sign(null, message, privateKey), key];
  }
  const secret = seedOf(random);
  if (kind === "ed25519") return [ed25519.sign(message, secret), ed25519.getPublicKey(secret)];
  return [p256.sign(message, secret, { prehash: false, lowS: false }), p256.getPublicKey(secret)];
}

let mlDsaPair: { privateKey: KeyObject; publicKey: Uint8Array } | undefined;

function mlDsaKeys(): { privateKey: KeyObject; publicKey: Uint8Array } {
  if (mlDsaPair === undefined) {
    const pair = generateKeyPairSync("ml-dsa-65");
    const spki = pair.publicKey.export({ format: "der", type: "spki" });
    mlDsaPair = { privateKey: pair.privateKey, publicKey: spki.subarray(-1952) };
  }
  return mlDsaPair;
}

const recover: Values = (random, data) => {
  const hash = Uint8Array.from(random.bytes(32));
  const signature = secp256k1.sign(hash, seedOf(random), {
    prehash: false,
    format: "recovered",
    lowS: random.chance(2),
  });
  const [hashPart, rsPart] = [bytes(() => hash)(random, data), bytes(() => signature.subarray(1))(random, data)];
  const v = random.chance(5) ? BigInt(random.below(6)) : BigInt(signature[0]!);
  return [...hashPart, ...rsPart, v, BigInt(random.below(random.chance(10) ? 4 : 2))];
};

const little = (value: bigint) => [...Buffer.from(value.toString(16).padStart(64, "0"), "hex")].reverse();

function bnG1(random: Random): number[] {
  if (random.chance(6)) return new Array<number>(64).fill(0);
  const { x, y } = bn254.G1.Point.BASE.multiply(reduced(random, bn254.fields.Fr.ORDER)).toAffine();
  return [...little(x), ...little(y)];
}

function bnG2(random: Random): number[] {
  if (random.chance(6)) return new Array<number>(128).fill(0);
  const { x, y } = bn254.G2.Point.BASE.multiply(reduced(random, bn254.fields.Fr.ORDER)).toAffine();
  return [x.c0, x.c1, y.c0, y.c1].flatMap(little);
}

/** Up to three items, made one by one. */
const items = (make: (random: Random) => number[]) =>
  bytes((random) => Array.from({ length: random.below(4) }, () => make(random)).flat());
const signByte = (random: Random) => (random.chance(20) ? 2 : random.below(2));
const scalarBytes = (random: Random) => (random.chance(5) ? new Array<number>(32).fill(0xff) : random.bytes(32));

const fp = (value: bigint) => [...Buffer.from(value.toString(16).padStart(96, "0"), "hex")];
const FP_ORDER = bls12_381.fields.Fp.ORDER;
const infinity = (length: number, first: number) => [first, ...new Array<number>(length - 1).fill(0)];

function blsG1(random: Random, compressed = false): number[] {
  if (random.chance(6)) return infinity(compressed ? 48 : 96, compressed ? 0xc0 : 0x40);
  // (0, 2): on the curve, not in the group.
  if (random.chance(12)) return compressed ? infinity(48, 0x80) : [...fp(0n), ...fp(2n)];
  const point = random.chance(6)
    ? unclearedG1(random)
    : bls12_381.G1.Point.BASE.multiply(reduced(random, bls12_381.fields.Fr.ORDER)).toAffine();
  if (!compressed) return [...fp(point.x), ...fp(point.y)];
  const bytes48 = fp(point.x);
  bytes48[0]! |= 0x80 | (random.chance(2) ? 0x20 : 0);
  return bytes48;
}

/** A point of the curve that most likely is not in the subgroup. */
function unclearedG1(random: Random): { x: bigint; y: bigint } {
  const { Fp } = bls12_381.fields;
  for (;;) {
    const x = reduced(random, FP_ORDER);
    try {
      return { x, y: Fp.sqrt(Fp.create(x * x * x + 4n)) };
    } catch {
      // not a square: the next one
    }
  }
}

function blsG2(random: Random, compressed = false): number[] {
  if (random.chance(6)) return infinity(compressed ? 96 : 192, compressed ? 0xc0 : 0x40);
  const { x, y } = bls12_381.G2.Point.BASE.multiply(reduced(random, bls12_381.fields.Fr.ORDER)).toAffine();
  const encoded = [...fp(x.c1), ...fp(x.c0)];
  if (!compressed) return [...encoded, ...fp(y.c1), ...fp(y.c0)];
  encoded[0]! |= 0x80 | (random.chance(2) ? 0x20 : 0);
  return encoded;
}

const fieldElement = (random: Random) => fp(random.chance(8) ? FP_ORDER + 1n : reduced(random, FP_ORDER));

const call = [method, blob, amount, gas];
const SHAPES: Readonly<Record<string, readonly Values[]>> = {
  read_register: [register, scratch],
  register_len: [register],
  write_register: [register, blob],
  account_balance: [scratch],
  account_locked_balance: [scratch],
  attached_deposit: [scratch],
  panic_utf8: [text],
  log_utf8: [text],
  log_utf16: [utf16],
  abort: [small, small, small, small],
  ripemd160: [blob, register],
  ecrecover: [recover, register],
  value_return: [blob],
  promise_create: [account, ...call],
  promise_then: [promise, account, ...call],
  promise_and: [promiseIndices],
  promise_batch_create: [account],
  promise_batch_then: [promise, account],
  promise_set_refund_to: [promise, account],
  promise_batch_action_create_account: [promise],
  promise_batch_action_deploy_contract: [promise, blob],
  promise_batch_action_function_call: [promise, ...call],
  promise_batch_action_function_call_weight: [promise, ...call, weight],
  promise_batch_action_transfer: [promise, amount],
  promise_batch_action_stake: [promise, amount, publicKey],
  promise_batch_action_add_key_with_full_access: [promise, publicKey, small],
  promise_batch_action_add_key_with_function_call: [promise, publicKey, small, amount, account, methodNames],
  promise_batch_action_delete_key: [promise, publicKey],
  promise_batch_action_delete_account: [promise, account],
  promise_batch_action_deploy_global_contract: [promise, blob],
  promise_batch_action_deploy_global_contract_by_account_id: [promise, blob],
  promise_batch_action_use_global_contract: [promise, codeHash],
  promise_batch_action_use_global_contract_by_account_id: [promise, account],
  promise_batch_action_state_init: [promise, codeHash, amount],
  promise_batch_action_state_init_by_account_id: [promise, account, amount],
  set_state_init_data_entry: [promise, small, key, value],
  universal_state_init_to_account_id: [stateInit, register],
  promise_batch_action_universal_state_init: [promise, stateInit, amount],
  promise_batch_action_transfer_to_gas_key: [promise, publicKey, amount],
  promise_batch_action_add_gas_key_with_full_access: [promise, publicKey, nonces],
  promise_batch_action_add_gas_key_with_function_call: [promise, publicKey, nonces, amount, account, methodNames],
  promise_yield_create: [method, blob, gas, weight, register],
  promise_yield_create_with_id: [method, blob, amount, gas, weight, yieldId],
  promise_yield_resume: [dataId, blob],
  promise_yield_resume_with_yield_id: [yieldId, blob],
  promise_result: [small, register],
  promise_return: [promise],
  storage_write: [key, value, register],
  storage_read: [key, register],
  storage_remove: [key, register],
  storage_has_key: [key],
  storage_iter_prefix: [key],
  storage_iter_range: [key, key],
  storage_iter_next: [small, register, register],
  gas: [number((random) => BigInt(random.below(1000)))],
  validator_stake: [account, scratch],
  validator_total_stake: [scratch],
  alt_bn128_g1_multiexp: [
    items((random) => [...bnG1(random), ...little(reduced(random, bn254.fields.Fr.ORDER))]),
    register,
  ],
  alt_bn128_g1_sum: [items((random) => [signByte(random), ...bnG1(random)]), register],
  alt_bn128_pairing_check: [items((random) => [...bnG1(random), ...bnG2(random)])],
  bls12381_p1_sum: [items((random) => [signByte(random), ...blsG1(random)]), register],
  bls12381_p2_sum: [items((random) => [signByte(random), ...blsG2(random)]), register],
  bls12381_g1_multiexp: [items((random) => [...blsG1(random), ...scalarBytes(random)]), register],
  bls12381_g2_multiexp: [items((random) => [...blsG2(random), ...scalarBytes(random)]), register],
  bls12381_map_fp_to_g1: [items(fieldElement), register],
  bls12381_map_fp2_to_g2: [items((random) => [...fieldElement(random), ...fieldElement(random)]), register],
  bls12381_pairing_check: [items((random) => [...blsG1(random), ...blsG2(random)])],
  bls12381_p1_decompress: [items((random) => blsG1(random, true)), register],
  bls12381_p2_decompress: [items((random) => blsG2(random, true)), register],
};
const HASHES = ["sha256", "keccak256", "keccak512", "sha3_256", "sha3_384", "sha3_512"];
const SIGNATURES = { ed25519_verify: "ed25519", p256_verify: "p256", ml_dsa_verify: "mlDsa" } as const;

/** Groups by what the calls have to do with each other, so that a list gets beyond its first error. */
const GROUPS: readonly (readonly string[])[] = [
  Object.keys(HOST_SIGNATURES).filter((name) => name.startsWith("storage_") && !name.includes("iter")),
  Object.keys(HOST_SIGNATURES).filter((name) => name.startsWith("promise_")),
  ["promise_batch_create", "promise_batch_then", "promise_and", "promise_batch_action_function_call_weight"],
  Object.keys(HOST_SIGNATURES).filter((name) => /global_contract|state_init|gas_key/.test(name)),
  ["universal_state_init_to_account_id", "promise_batch_action_universal_state_init"],
  ["promise_batch_action_state_init", "promise_batch_action_state_init_by_account_id", "set_state_init_data_entry"],
  Object.keys(HOST_SIGNATURES).filter((name) => name.startsWith("alt_bn128_")),
  Object.keys(HOST_SIGNATURES).filter((name) => name.startsWith("bls12381_")),
  [...HASHES, ...Object.keys(SIGNATURES), "ripemd160", "ecrecover"],
  Object.keys(HOST_SIGNATURES),
];

function valuesFor(name: string, random: Random, data: DataSegment): bigint[] {
  const kind = SIGNATURES[name as keyof typeof SIGNATURES];
  if (kind !== undefined) return signed(random, kind)(random, data);
  const shape = SHAPES[name] ?? (HASHES.includes(name) ? [blob, register] : undefined);
  if (shape !== undefined) return shape.flatMap((values) => values(random, data));
  return [...HOST_SIGNATURES[name]![0]].flatMap(() => register(random, data));
}

function generateInvocations(random: Random, data: DataSegment): HostInvocation[] {
  const names = random.pick(GROUPS);
  const invocations: HostInvocation[] = [{ name: "input", values: [0n] }];
  // Promises that exist make the actions on them possible.
  if (names.some((name) => name.startsWith("promise_"))) {
    for (const receiver of ["bob.test", "contract.test"]) {
      invocations.push({ name: "promise_batch_create", values: data.add(receiver) });
    }
  }
  const count = 1 + random.below(10);
  for (let i = 0; i < count; i++) {
    const name = random.pick(names);
    invocations.push({ name, values: valuesFor(name, random, data) });
    const last = HOST_SIGNATURES[name]![0];
    // What a call left in a register is looked at as well.
    if (last.length > 2 && random.chance(3)) invocations.push({ name: "read_register", values: [0n, SCRATCH_POINTER] });
  }
  return invocations;
}

export function generateCall(random: Random): OracleCall {
  const text64 = (length: number) => Buffer.from(random.bytes(length)).toString("base64");
  return {
    args: text64(random.pick([0, 10, 300])),
    gas: random.chance(4) ? 1 + Number(random.u64() % 10_000_000_000_000n) : 300_000_000_000_000,
    view: random.chance(5),
    deposit: random.pick(["0", "1", "5000000000000000000000000"]),
    balance: random.pick(["100000000000000000000000000", "0", "1"]),
    promiseResults: random.chance(2) ? [] : [text64(20), null],
    outputReceivers: random.pick([[], ["bob.test"], ["contract.test", "bob.test"]]),
  };
}

/** One module of host calls, called a few times in different circumstances. */
export function generateHostScenario(random: Random): OracleScenario {
  const data = new DataSegment();
  const invocations = generateInvocations(random, data);
  const wasm = hostCallModule(invocations, data, 2304);
  const calls = Array.from({ length: 1 + random.below(3) }, () => generateCall(random));
  return { wasm: Buffer.from(wasm).toString("base64"), calls };
}
