/**
 * Hostile calls: every method, by everybody, with arguments that are wrong in every way that JSON and Borsh can be. Whatever
 * comes, the contract answers with a named refusal or does what it should; a refusal leaves its state as it was, and
 * its balance always covers what it owes and stores. A case is a function of its number, so a failure can be repeated.
 */
import { createHash } from "node:crypto";
import { encode } from "@outlayer/protocol/wire/borsh";
import { guestResponse, responseHash } from "@outlayer/protocol/wire/records";
import {
  type AttestedResult,
  appealArgs,
  claimLeaseArgs,
  disputeArgs,
  METHODS,
  objectArgs,
  proveEquivocationArgs,
  stateKeys,
} from "../../client/index.ts";
import { buildArgs, RECIPE, REPOSITORY } from "./build-world.ts";
import { Dice } from "./dice.ts";
import { BORSH_METHODS, type BorshMethod, hostileBorsh } from "./hostile-borsh.ts";
import {
  answerArgs,
  attestAll,
  CODE_HASH,
  expectOk,
  GITHUB,
  LIMITS,
  NEAR,
  NODES,
  OUTLAYER,
  signedStatement,
  TAPE_HASH,
  textResponse,
  World,
} from "./world.ts";

const paid = { depositYocto: NEAR / 5n };
const WHO = ["owner.test", "operator.test", "alice.test", "bob.test", "n0.test", "n1.test", "n4.test", OUTLAYER];
const DEPOSITS = [0n, 0n, 0n, 1n, NEAR / 10n, NEAR, 3n * NEAR];

/** What hostile Borsh is about. */
const OPEN = { leased: 4, free: 3 };
/** A request of a repository, whose code can be bound. */
const UNBUILT = 5;

/** Requests leased, proposed, objected to and free; a project, secrets, a token, a keystore epoch, earnings. */
export function populatedWorld(): World {
  const world = World.started([2, 2, 2, 2, 2], { quorum: 3, challengeBlocks: 90 });
  for (let id = 0; id < 5; id++) world.ask();
  world.ask({ source: REPOSITORY });
  expectOk(world.call("owner.test", "add_recipe", JSON.stringify({ recipe_id: Buffer.from(RECIPE).toString("hex") })));
  world.advance(30);
  for (const requestId of [0, 1, 2, OPEN.leased, UNBUILT]) {
    expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId, seat: 0, leaseEpoch: 0 })));
  }
  const all = NODES.slice(0, 5);
  expectOk(world.call("bob.test", "resolve_execution", answerArgs(world, { requestId: 0, signers: all })));
  expectOk(world.call("bob.test", "resolve_execution", answerArgs(world, { requestId: 1 })));
  expectOk(world.call("n3.test", "object", objectArgs({ requestId: 1, seat: 0 }), { depositYocto: NEAR }));
  expectOk(world.call("bob.test", "resolve_execution", answerArgs(world, { requestId: 2 })));
  const calls: readonly (readonly [string, string, object])[] = [
    ["alice.test", "create_project", { name: "x", source: GITHUB }],
    ["alice.test", "store_secrets", { ...SECRET, encrypted_secrets_base64: "AbCd", access: "AllowAll" }],
    ["owner.test", "set_payment_token_contract", { token_contract: "bob.test" }],
    ["bob.test", "ft_on_transfer", { sender_id: "alice.test", amount: "5", msg: '{"action":"deposit_balance"}' }],
  ];
  for (const [who, method, args] of calls) {
    const options = METHODS[method as keyof typeof METHODS].payable ? paid : {};
    expectOk(world.call(who, method, JSON.stringify(args), options));
  }
  return world;
}

const SECRET = { accessor: { Project: { project_id: "alice.test/x" } }, profile: "x" };
const HOSTILE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  2 ** 53,
  "",
  "0",
  "1",
  "-1",
  "340282366920938463463374607431768211455",
  "340282366920938463463374607431768211456",
  "\u0000",
  "\ud800",
  "é".repeat(40),
  "x".repeat(300),
  "x".repeat(70_000),
  [],
  [null],
  {},
  { "": {} },
  "alice.test",
  "a".repeat(65),
  "ed25519:11111111111111111111111111111111",
];
const SHAPES: Readonly<Record<string, unknown>> = {
  Source: GITHUB,
  Limits: LIMITS,
  Params: { force_rebuild: false, attached_usd: "0" },
  SecretsRef: { profile: "x", account_id: "alice.test" },
  Network: { replay_seats: 3 },
  Pricing: { author_account_id: "n0.test", operations: [{ operation: "x", price_usd: "1", developer_share_bp: 1 }] },
  Response: { success: true, output: { Text: "x" }, error: null, resources_used: { instructions: 1, time_ms: 0 } },
  Level: { replay_seats: 20, quorum: 4, replicas: 4, challenge_blocks: 5, base_fee: "2000000000000000000000" },
  Resources: { instructions: 1, time_ms: 0 },
  Output: { Text: "x" },
  Accessor: SECRET.accessor,
  Access: { Logic: { operator: "And", conditions: ["AllowAll", { AccountPattern: { pattern: "a.*" } }] } },
  Attestation: { account_id: "n1.test", seat: 0, signature: Buffer.alloc(64).toString("base64") },
  Member: { account_id: "n1.test", shares: 1, encryption_key: Buffer.alloc(48, 1).toString("base64") },
  TopUpResult: { Success: { new_encrypted_data: "x" } },
};
const SCALARS: Readonly<Record<string, readonly unknown[]>> = {
  u16: [0, 1],
  u32: [0, 1, 4_294_967_295],
  u64: [0, 1, 2, 3, 10],
  yocto: ["0", "1", "1000000000000000000000", "340282366920938463463374607431768211455"],
  usd: ["0", "1", "1000000"],
  account: ["alice.test", "n1.test", "nobody.test"],
  hash: ["00".repeat(32), "ab".repeat(32)],
  base64: ["", "AAAA", Buffer.alloc(120).toString("base64")],
  text: ["x", "alice.test/x", "Text", "Json"],
  bool: [true, false],
};

function plausible(dice: Dice, type: string): unknown {
  if (type.endsWith("?")) return dice.below(2) === 0 ? null : plausible(dice, type.slice(0, -1));
  if (type.endsWith("[]")) return Array.from({ length: dice.below(4) }, () => plausible(dice, type.slice(0, -2)));
  const scalars = SCALARS[type];
  return scalars ? dice.pick(scalars) : (SHAPES[type] ?? {});
}

type Fields = Record<string, unknown>;

/** One place somewhere in the arguments, made wrong. */
function disturb(dice: Dice, value: unknown): unknown {
  if (typeof value !== "object" || value === null || dice.below(3) === 0) return dice.pick(HOSTILE);
  if (Array.isArray(value))
    return value.length === 0 ? [dice.pick(HOSTILE)] : value.map((v, i) => (i === 0 ? disturb(dice, v) : v));
  const fields = { ...(value as Fields) };
  const names = Object.keys(fields);
  if (names.length === 0 || dice.below(6) === 0)
    return { ...fields, [dice.pick(["unknown", "", "request_id", "x".repeat(300)])]: dice.pick(HOSTILE) };
  const name = dice.pick(names);
  if (dice.below(4) === 0) delete fields[name];
  else fields[name] = disturb(dice, fields[name]);
  return fields;
}

/** The text itself, made wrong. */
function garble(dice: Dice, text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const at = dice.below(bytes.length + 1);
  switch (dice.below(6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes, Buffer.from("}")]);
    case 2:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from([dice.pick([0, 0x80, 0xff, 0x22, 0x5c, 0x7b])]),
        bytes.subarray(at),
      ]);
    case 3:
      return Buffer.from(text.replace("{", '{"request_id":0,"request_id":1,'));
    case 4:
      return Buffer.from(`${"[".repeat(200)}${text}`);
    default:
      return Buffer.alloc(0);
  }
}

/** An answer about the request that is leased, by these accounts, with every drawn seat of theirs or one each. */
function attested(world: World, text: string, signers: readonly string[], seats?: number): AttestedResult {
  const { leaseEpoch, holder } = world.lease(OPEN.leased)!;
  const response = textResponse(text);
  const answer = { requestId: OPEN.leased, response, signers, ...(seats === undefined ? {} : { seats }) };
  const attestations = attestAll(world, signers, answer);
  return {
    leaseEpoch,
    holder,
    codeHash: CODE_HASH,
    responseHash: responseHash(response),
    tapeHash: TAPE_HASH,
    attestations,
  };
}

/** Arguments that would do what they say, of methods that signatures have to be made for; nothing where there is no subject. */
function informed(world: World, dice: Dice, method: string): string | undefined {
  const record = world.stored(stateKeys.request(OPEN.leased));
  if (!record || !world.lease(OPEN.leased)) return undefined;
  const some = () => NODES.slice(dice.below(2), 3 + dice.below(3));
  switch (method) {
    case "bind_build":
      return (
        world.lease(UNBUILT) && buildArgs(world, { requestId: UNBUILT, signers: NODES.slice(0, 2 + dice.below(3)) })
      );
    case "dispute":
      return disputeArgs(record, attested(world, "wrong", some()), attested(world, "right", NODES.slice(1, 5), 2));
    case "appeal":
      return appealArgs(dice.pick(NODES), record, attested(world, "wrong", NODES.slice(1, 5), 2));
    case "prove_equivocation": {
      const node = dice.pick(NODES.slice(0, 5));
      const say = (result: string) => signedStatement(world, node, OPEN.leased, textResponse(result));
      return proveEquivocationArgs(node, say("one"), say(dice.pick(["one", "two"])));
    }
    case "submit_execution_output": {
      const response = textResponse("x");
      const answer = { requestId: OPEN.leased, signers: some(), response };
      const { response: _, ...fields } = JSON.parse(answerArgs(world, answer));
      const announced = encode(guestResponse, response);
      const hash = createHash("sha256").update(announced).digest("hex");
      return JSON.stringify({ ...fields, response_hash: hash, response_bytes: announced.length });
    }
    case "object":
      return objectArgs({ requestId: 2, seat: dice.below(3) });
    case "finalize_execution":
    case "renew_lease":
      return JSON.stringify({ request_id: dice.pick([2, OPEN.leased]) });
    default:
      return undefined;
  }
}

export interface HostileCall {
  readonly method: string;
  readonly signer: string;
  readonly args: Uint8Array;
  readonly depositYocto: bigint;
}

const CALLABLE = Object.entries(METHODS).filter(([, { view }]) => !view);

/** One in so many speaks Borsh. */
const BORSH_SHARE = 4;

function borshCall(world: World, dice: Dice): HostileCall {
  const method: BorshMethod = dice.pick(BORSH_METHODS);
  const signer = dice.pick(WHO);
  return { method, signer, args: hostileBorsh(world, dice, method, OPEN), depositYocto: dice.pick(DEPOSITS) };
}

export function hostileCall(world: World, number: number): HostileCall {
  const dice = new Dice(number * 7_919 + 17);
  if (dice.below(BORSH_SHARE) === 0) return borshCall(world, dice);
  const [method, description] = dice.pick(CALLABLE);
  let args: unknown = Object.fromEntries(
    Object.entries(description.args).map(([name, type]) => [name, plausible(dice, type)]),
  );
  const meant = dice.below(4) === 0 ? undefined : informed(world, dice, method);
  if (meant !== undefined) args = JSON.parse(meant);
  for (let times = dice.below(3); times > 0; times--) args = disturb(dice, args);
  const text = JSON.stringify(args) ?? "";
  const bytes = dice.below(5) === 0 ? garble(dice, text) : Buffer.from(text);
  return { method, signer: dice.pick(WHO), args: new Uint8Array(bytes), depositYocto: dice.pick(DEPOSITS) };
}

const YOCTO_PER_BYTE = 10n ** 19n;

function account(world: World) {
  return world.chain.stateAt("optimistic").get("account", OUTLAYER, "")!;
}

/** Everything that the contract stores. */
function storageDigest(world: World): string {
  const hash = createHash("sha256");
  for (const [key, value] of world.chain.stateAt("optimistic").entries("data", OUTLAYER))
    hash.update(key).update(value);
  return hash.digest("hex");
}

/** JSON as it is, Borsh in hex. */
function spelled(args: Uint8Array): string {
  return args[0] === 1 ? Buffer.from(args).toString("hex") : Buffer.from(args).toString("utf8").slice(0, 300);
}

/** Plays a case; the text says what went wrong, undefined that nothing did. */
export function faultOf(world: World, number: number): string | undefined {
  const call = hostileCall(world, number);
  const at = `case ${number}: ${call.method} by ${call.signer} with ${spelled(call.args)}`;
  const open = world.view("get_pending_request_ids");
  const before = storageDigest(world);
  const result = world.call(call.signer, call.method, call.args, { depositYocto: call.depositYocto });
  if (result.failure !== undefined) {
    // Of a record that an argument brings, not of the contract's own. Borsh arguments are refused as such.
    const badRecord = result.panic === "BadRecord" && call.method !== "dispute" && call.method !== "appeal";
    if (result.panic === undefined || badRecord) return `${at}: ${result.failure}`;
    // Yields can end in the same blocks; then the difference is theirs.
    if (open === world.view("get_pending_request_ids") && before !== storageDigest(world))
      return `${at}: a refusal changed the state`;
  }
  const { amount, storageUsage } = account(world);
  const owed = BigInt(JSON.parse(world.view("get_network")).liabilities);
  if (amount < owed + BigInt(storageUsage) * YOCTO_PER_BYTE)
    return `${at}: ${amount} does not cover ${owed} and ${storageUsage} bytes`;
  return undefined;
}

/** Cases for which one world serves before its yields are over or its owner has changed too much. */
export const CASES_PER_WORLD = 50;
