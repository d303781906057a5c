import { createHash } from "node:crypto";
import { encode } from "@outlayer/protocol/wire/borsh";
import { requestRecord } from "@outlayer/protocol/wire/records";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  claimLeaseArgs,
  type ExecutionRequest,
  initializeArgs,
  type NetworkOptions,
  requestExecutionArgs,
  stateKeys,
} from "../../client/index.ts";
import {
  answerArgs,
  BASE_FEE,
  CHAIN_ID,
  CODE,
  eventsIn,
  expectOk,
  GITHUB,
  LIMITS,
  NEAR,
  OUTLAYER,
  World,
} from "./world.ts";

const WASM_HASH = "ab".repeat(32);
const sha256 = (data: string) => createHash("sha256").update(data).digest("hex");

function refused(world: World, request: Record<string, unknown>, depositYocto = NEAR): string | undefined {
  const full = { source: GITHUB, resource_limits: LIMITS, ...request };
  return world.call("alice.test", "request_execution", JSON.stringify(full), { depositYocto }).panic;
}

test("a request is stored as the shared record, byte for byte", () => {
  const world = World.started([2, 3]);
  world.ask({
    input_data: 'é "quoted"\n\u0001😀',
    response_format: "Json",
    secrets_ref: { profile: "default", account_id: "bob.test" },
    payer_account_id: "bob.test",
  });
  const stored = world.stored(stateKeys.request(0))!;
  const record = world.request(0)!;
  assert.equal(encode(requestRecord, record), stored);
  assert.is(new TextDecoder().decode(record.input), 'é "quoted"\n\u0001😀');
  assert.is(Buffer.from(record.inputHash).toString("hex"), sha256('é "quoted"\n\u0001😀'));
  assert.is(record.predecessorId, "alice.test");
  assert.is(record.payerId, "bob.test");
  assert.is(record.responseFormat, 2);
  assert.equal(record.secrets, { profile: "default", accountId: "bob.test" });
  assert.is(record.paymentYocto, NEAR / 10n);
  assert.is(record.deadlineHeight, record.height + 190);
  assert.is(record.stakeEpoch, 0);
  assert.is(record.seatsTotal, 5);
  assert.equal(record.level, { replaySeats: 5, replicas: 2, quorum: 2 });
  assert.is(record.maxInstructions, 1_000_000_000n);
});

test("a small network is asked for no more than it has, and the record says what was used", () => {
  const levels = [0, 1, 2, 3, 4, 5, 9].map((nodes) => {
    const world = World.started(
      Array.from({ length: nodes }, () => 1),
      { quorum: 6, replicas: 4, replaySeats: 7 },
    );
    world.ask();
    const { replaySeats, replicas, quorum } = world.request(0)!.level;
    return [nodes, replaySeats, replicas, quorum];
  });
  assert.equal(levels, [
    [0, 0, 1, 1],
    [1, 1, 1, 1],
    [2, 2, 2, 2],
    [3, 3, 3, 2],
    [4, 4, 4, 3],
    [5, 5, 4, 4],
    [9, 7, 4, 6],
  ]);
});

test("every request has a seed of its own, and the event names it", () => {
  const world = World.started();
  const result = world.ask();
  const { seed } = world.request(0)!;
  assert.is(seed.length, 32);
  world.ask();
  assert.not.equal(world.request(1)!.seed, seed);
  const data = JSON.parse(eventsIn(result.logs)[0]!.data.request_data as string);
  assert.is(data.seed, Buffer.from(seed).toString("hex"));
});

test("execution_requested has the surface's keys, and ours after them", () => {
  const world = World.started();
  const result = world.ask({
    source: GITHUB,
    input_data: "in",
    params: { force_rebuild: true, store_on_fastfs: true },
  });
  const [event] = eventsIn(result.logs);
  const record = world.request(0)!;
  assert.ok(
    event!.raw.startsWith('EVENT_JSON:{"standard":"near-outlayer","version":"1.0.0","event":"execution_requested"'),
  );
  assert.equal(Object.keys(event!.data), ["request_data", "data_id", "timestamp"]);
  assert.equal(event!.data.data_id, [...record.dataId]);
  assert.equal(JSON.parse(event!.data.request_data as string), {
    request_id: 0,
    sender_id: "alice.test",
    predecessor_id: "alice.test",
    code_source: { GitHub: { repo: GITHUB.GitHub.repo, commit: "main", build_target: null } },
    resource_limits: LIMITS,
    input_data: "in",
    input_data_in_state: false,
    secrets_ref: null,
    response_format: "Text",
    payment: (NEAR / 10n).toString(),
    attached_usd: "0",
    timestamp: Number(record.timestampNs),
    compile_only: false,
    force_rebuild: true,
    store_on_fastfs: true,
    use_bound_identity: false,
    project_uuid: null,
    project_id: null,
    seed: Buffer.from(record.seed).toString("hex"),
    input_hash: sha256("in"),
    stake_epoch: 0,
    deadline_height: record.deadlineHeight,
    level: 0,
  });
});

test("long inputs, and short ones whose escapes are long, stand in the state only", () => {
  const world = World.started();
  for (const input of ["x".repeat(10_000), "\u0001".repeat(9_000), '"'.repeat(9_999)]) {
    const data = JSON.parse(eventsIn(world.ask({ input_data: input }).logs)[0]!.data.request_data as string);
    assert.is(data.input_data, "");
    assert.is(data.input_data_in_state, true);
    assert.is(data.input_hash, sha256(input));
  }
  const short = JSON.parse(eventsIn(world.ask({ input_data: "y".repeat(9_999) }).logs)[0]!.data.request_data as string);
  assert.is(short.input_data, "y".repeat(9_999));
});

test("without limits a request only compiles, for the base fee", () => {
  const world = World.started();
  const result = world.ask({ resource_limits: null }, BASE_FEE);
  const data = JSON.parse(eventsIn(result.logs)[0]!.data.request_data as string);
  assert.is(data.compile_only, true);
  assert.equal(data.resource_limits, {
    max_instructions: 1_000_000_000,
    max_memory_mb: 128,
    max_execution_seconds: 60,
  });
  assert.is(world.request(0)!.compileOnly, true);
  assert.is(refused(world, { resource_limits: null, input_data: "x" }), "InputOfCompileOnly");
  assert.is(refused(world, { params: { compile_only: true }, input_data: "x" }), "InputOfCompileOnly");
  assert.is(refused(world, { resource_limits: null }, BASE_FEE - 1n), "InsufficientPayment");
});

test("the deposit has to reach the surface's estimate, to the yocto", () => {
  const world = World.started();
  const estimate = BASE_FEE + 1_000n * 10n ** 14n + 10_000n * 10n ** 17n;
  assert.is(world.view("estimate_execution_cost", JSON.stringify({ resource_limits: LIMITS })), `"${estimate}"`);
  assert.is(refused(world, {}, estimate - 1n), "InsufficientPayment");
  assert.is(refused(world, {}, estimate), undefined);
  // Limits that are not named count nothing in the estimate and are the defaults in the record.
  assert.is(refused(world, { resource_limits: {} }, BASE_FEE), undefined);
  assert.is(world.request(1)!.maxInstructions, 1_000_000_000n);
  assert.is(world.request(1)!.maxMemoryMb, 128);
});

test("no run is promised that cannot end before the deadline, and what was asked for is what the estimate counts", () => {
  const asking = (max_instructions: number, network: NetworkOptions = {}) => {
    const world = World.started([1], network);
    const resource_limits = { max_instructions, max_memory_mb: 64, max_execution_seconds: 180 };
    const estimate = BigInt(JSON.parse(world.view("estimate_execution_cost", JSON.stringify({ resource_limits }))));
    const args = requestExecutionArgs({ source: CODE, resource_limits });
    const ask = (depositYocto: bigint) => world.call("alice.test", "request_execution", args, { depositYocto });
    assert.is(ask(estimate - 1n).panic, "InsufficientPayment");
    const data = JSON.parse(eventsIn(expectOk(ask(estimate)).logs)[0]!.data.request_data as string);
    const { maxInstructions } = world.request(0)!;
    assert.is(BigInt(data.resource_limits.max_instructions), maxInstructions);
    return { world, estimate, maxInstructions };
  };
  const { world, estimate, maxInstructions } = asking(500_000_000_000);
  assert.is(estimate, BASE_FEE + 500_000n * 10n ** 14n + 180_000n * 10n ** 17n);
  assert.is(maxInstructions, 180_000_000_000n);
  // A lease that is taken at once lasts as long as such a run.
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  const { claimedHeight, untilHeight } = world.lease(0)!;
  assert.ok(untilHeight - claimedHeight >= 180);
  assert.is(asking(180_000_000_000).maxInstructions, 180_000_000_000n);
  assert.is(asking(500_000_000_000, { instructionsPerBlock: 1n << 63n }).maxInstructions, 500_000_000_000n);
  assert.is(asking(1_000, { instructionsPerBlock: 10n, leaseBlocks: 200 }).maxInstructions, 10n);
});

test("what cannot be served is refused by name", () => {
  const world = World.started();
  const wasm = (hash: string) => ({ WasmUrl: { url: "https://example.org/a.wasm", hash } });
  const cases: [Record<string, unknown>, string][] = [
    [{ source: { Project: { project_id: "a.near/b" } } }, "NoSuchProject"],
    [{ source: {} }, "BadSource"],
    [{ source: { Docker: { image: "x" } } }, "BadSource"],
    [{ source: { ...GITHUB, ...wasm(WASM_HASH) } }, "BadSource"],
    [{ source: null }, "MissingField"],
    [{ source: { GitHub: { repo: "r" } } }, "MissingField"],
    [{ source: { GitHub: { repo: 5, commit: "c" } } }, "BadType"],
    [{ source: { GitHub: { repo: "r".repeat(2_049), commit: "c" } } }, "TooLong"],
    [{ source: { GitHub: { repo: "r", commit: "c\n" } } }, "BadName"],
    [{ source: wasm("ab") }, "BadHash"],
    [{ source: wasm(`${"ab".repeat(31)}zz`) }, "BadHash"],
    [{ source: wasm(WASM_HASH), params: { force_rebuild: true } }, "ForceRebuildOfWasmUrl"],
    [{ params: { store_on_fastfs: true } }, "FastfsWithoutRebuild"],
    [{ params: { attached_usd: "1" } }, "AttachedUsdWithoutProject"],
    [{ params: { force_rebuild: 1 } }, "BadType"],
    [{ resource_limits: { max_instructions: 500_000_000_001 } }, "TooManyInstructions"],
    [{ resource_limits: { max_execution_seconds: 181 } }, "TooManySeconds"],
    [{ resource_limits: { max_instructions: 1.5 } }, "BadType"],
    [{ resource_limits: { max_instructions: -1 } }, "BadType"],
    [{ resource_limits: { max_memory_mb: 2 ** 32 } }, "TooLarge"],
    [{ response_format: "Xml" }, "BadFormat"],
    [{ payer_account_id: "Not An Account" }, "BadAccountId"],
    [{ payer_account_id: "a..b" }, "BadAccountId"],
    [{ secrets_ref: { profile: "p" } }, "MissingField"],
    [{ input_data: 5 }, "BadType"],
    [{ input_data: "x".repeat(1_048_577) }, "TooLong"],
  ];
  for (const [request, code] of cases) assert.is(refused(world, request), code, JSON.stringify(request).slice(0, 80));
  assert.is(world.view("get_pending_request_ids"), "[]");
  assert.is(refused(world, { params: { attached_usd: "0" } }), undefined);
  assert.is(refused(world, { source: wasm(WASM_HASH.toUpperCase()) }), undefined);
  assert.equal(world.request(1)!.source, {
    kind: "WasmUrl",
    url: "https://example.org/a.wasm",
    hash: new Uint8Array(32).fill(0xab),
    buildTarget: undefined,
  });
});

test("a paused contract takes no requests", () => {
  const world = World.started();
  expectOk(world.call("owner.test", "set_paused", '{"paused":true}'));
  assert.is(refused(world, {}), "Paused");
  expectOk(world.call("owner.test", "set_paused", '{"paused":false}'));
  assert.is(refused(world, {}), undefined);
});

test("bytes that the contract's free balance does not cover are refused, and the deposit comes back", () => {
  const world = World.started([], {}, 9n * NEAR);
  const before = world.balance("alice.test");
  assert.is(refused(world, { input_data: "x".repeat(200_000) }), "StorageNotCovered");
  assert.ok(before - world.balance("alice.test") < NEAR / 10n);
  assert.is(refused(world, { input_data: "x".repeat(20_000) }), undefined);
});

test("whoever fills the free balance with inputs keeps neither small requests nor answers out", () => {
  const world = World.started([2, 2, 2], { quorum: 2 }, 16n * NEAR);
  world.ask();
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  for (const bytes of [200_000, 50_000, 20_000, 10_000]) {
    for (let tries = 0; tries < 20 && refused(world, { input_data: "x".repeat(bytes) }) === undefined; tries++);
  }
  assert.is(refused(world, { input_data: "x".repeat(20_000) }), "StorageNotCovered");
  assert.is(refused(world, { input_data: "x".repeat(200) }), undefined);
  // Small requests end at a reserve of their own, and answers are taken below it.
  let small = 0;
  while (refused(world, { input_data: "x".repeat(9_999) }) === undefined) small++;
  assert.ok(small > 10, `${small} small requests`);
  expectOk(world.call("bob.test", "resolve_execution", answerArgs(world, { signers: ["n0.test", "n1.test"] })));
});

test("an uninitialized contract says so, and new is called once", () => {
  const world = new World();
  assert.is(refused(world, {}), "NotInitialized");
  expectOk(world.call("bob.test", "new", JSON.stringify({ owner_id: "owner.test", operator_id: "operator.test" })));
  assert.is(world.view("get_config"), '["owner.test","operator.test"]');
  assert.is(world.call("bob.test", "new", initializeArgs("bob.test")).panic, "AlreadyInitialized");
  assert.is(JSON.parse(world.view("get_network")).chain_id, "mainnet");
});

test("methods that are not in the surface do not exist", () => {
  const world = World.started();
  for (const method of ["onAbort", "initialize", "submit", "__new", "claim", "memory"]) {
    assert.match(world.call("alice.test", method).failure!, /MethodNotFound|MethodResolveError/);
  }
});

test("get_request tells what was asked", () => {
  const world = World.started();
  const request: ExecutionRequest = { source: GITHUB, resource_limits: LIMITS, input_data: "hi" };
  expectOk(world.call("alice.test", "request_execution", requestExecutionArgs(request), { depositYocto: NEAR }));
  const seen = JSON.parse(world.view("get_request", '{"request_id":0}'));
  assert.is(seen.sender_id, "alice.test");
  assert.is(seen.input_data, "hi");
  assert.is(seen.payment_yocto, NEAR.toString());
  assert.is(seen.payer_account_id, "alice.test");
  assert.is(seen.output_submitted, false);
  assert.is(world.view("get_request", '{"request_id":1}'), "null");
  assert.is(JSON.parse(world.view("get_network")).chain_id, CHAIN_ID);
  assert.ok(world.balance(OUTLAYER) > 1_000n * NEAR);
});

test.run();
