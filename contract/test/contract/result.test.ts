import { createHash, sign } from "node:crypto";
import { drawTicket, isEligible } from "@outlayer/protocol/lease/sortition";
import { encode } from "@outlayer/protocol/wire/borsh";
import {
  type GuestResponse,
  guestResponse,
  outcomeRecord,
  requestDigest,
  responseHash,
} from "@outlayer/protocol/wire/records";
import { REPLAY_CLASS_PURE, RESULT_DOMAIN, statementDigest } from "@outlayer/protocol/wire/statement";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  announceOutputArgs,
  claimAndResolveArgs,
  claimLeaseArgs,
  type NetworkOptions,
  outputChunkArgs,
  resolveExecutionArgs,
  stateKeys,
} from "../../client/index.ts";
import {
  type Answer,
  answerArgs,
  attest,
  BASE_FEE,
  CALLER,
  CHAIN_ID,
  CODE,
  CODE_HASH,
  eventsIn,
  expectOk,
  keyOf,
  LIMITS,
  NEAR,
  NODES,
  OUTLAYER,
  outlayerWasm,
  TAPE_HASH,
  textResponse,
  World,
} from "./world.ts";

const PAYMENT = NEAR / 10n;
/** Six whole millions of fuel; it does not divide by three. */
const CHARGED = BASE_FEE + 6n * 10n ** 14n;

/** A request that n0 holds: everybody has waited long enough for any ticket. */
function leased(seats: readonly number[] = [1, 1, 1], network: NetworkOptions = {}, request = {}): World {
  const world = World.started(seats, network);
  world.ask(request, PAYMENT);
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  return world;
}

const resolve = (world: World, answer: Answer = {}, sender = "bob.test") =>
  world.call(sender, "resolve_execution", answerArgs(world, answer));

function earnings(world: World, account: string): bigint {
  return BigInt(JSON.parse(world.view("get_earnings", JSON.stringify({ account_id: account }))));
}

const completed = (world: World, hash: string) => eventsIn(world.outcomes(hash).flatMap(({ logs }) => logs)).at(-1)!;

/** What the contract owes is covered, and says so itself. */
function assertSolvent(world: World): void {
  const account = world.chain.stateAt("optimistic").get("account", OUTLAYER, "")!;
  const owed = BigInt(JSON.parse(world.view("get_network")).liabilities);
  assert.ok(account.amount >= owed + BigInt(account.storageUsage) * 10n ** 19n);
}

test("a quorum's answer resumes the caller, whoever sends it, and the money adds up", () => {
  const world = World.started([1, 1, 1]);
  const total = world.totalYocto();
  const asked = world.ask({ payer_account_id: "operator.test" }, PAYMENT);
  const payerBefore = world.balance("operator.test");
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  const resolved = expectOk(resolve(world));
  assert.equal(resolved.logs, [`[[yNEAR charged: "${CHARGED}"]]`]);

  assert.is(world.finalValue(asked.hash), '"hello"');
  assert.is(world.balance("operator.test") - payerBefore, PAYMENT - CHARGED);
  // The holder pays for claim and resolve: 60 % are its, and what does not divide.
  const share = (CHARGED * 4_000n) / 10_000n / 2n;
  assert.equal(
    NODES.slice(0, 3).map((name) => earnings(world, name)),
    [CHARGED - 2n * share, share, share],
  );
  assert.is(world.view("get_stats"), `[1,"${CHARGED}"]`);
  assert.is(world.totalYocto(), total);
  assertSolvent(world);
  // Nothing of the request stays.
  for (const key of Object.values([stateKeys.request, stateKeys.lease, stateKeys.outcome])) {
    assert.is(world.stored(key(0)), undefined);
  }
  assert.is(world.view("get_pending_request_ids"), "[]");

  const before = world.balance("n0.test");
  expectOk(world.call("n0.test", "withdraw_earnings"));
  assert.is(earnings(world, "n0.test"), 0n);
  assert.ok(world.balance("n0.test") > before);
  assert.is(world.call("n0.test", "withdraw_earnings").panic, "NothingToWithdraw");
  assert.is(world.totalYocto(), total);
  assertSolvent(world);
});

test("execution_completed has the surface's keys", () => {
  const world = World.started([1, 1, 1]);
  const asked = world.ask({}, PAYMENT);
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  const response = { ...textResponse("x"), compileTimeMs: 12n, compilationNote: 'a "note"' };
  expectOk(resolve(world, { response }));
  const event = completed(world, asked.hash);
  assert.ok(
    event.raw.startsWith('EVENT_JSON:{"standard":"near-outlayer","version":"1.0.0","event":"execution_completed"'),
  );
  const { timestamp, ...data } = event.data;
  assert.ok((timestamp as number) > 1.8e18);
  assert.equal(data, {
    sender_id: "alice.test",
    code_source: { WasmUrl: { ...CODE.WasmUrl, build_target: null } },
    resources_used: { instructions: 6_999_999, time_ms: 7, compile_time_ms: 12 },
    success: true,
    error_message: null,
    payment_charged: CHARGED.toString(),
    payment_refunded: (PAYMENT - CHARGED).toString(),
    compilation_note: 'a "note"',
  });
});

/** One request from the caller contract to its answer, in one life of a world. */
function answered(response: GuestResponse): string {
  const world = World.started([1, 1, 1]);
  expectOk(world.call("alice.test", "new", `{"outlayer_id":"${OUTLAYER}"}`, { receiver: CALLER }));
  const total = world.totalYocto();
  const args = JSON.stringify({ source: CODE, resource_limits: LIMITS, input_data: "in" });
  const asked = expectOk(world.call("alice.test", "ask", args, { receiver: CALLER, depositYocto: PAYMENT }));
  assert.is(world.request(0)!.predecessorId, CALLER);
  assert.is(world.request(0)!.signerId, "alice.test");
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  expectOk(resolve(world, { response }));
  assert.is(world.totalYocto(), total);
  const answer = world.view("last_answer", "{}", CALLER);
  assert.is(world.finalValue(asked.hash), answer);
  return answer;
}

test("a contract that asks gets the plain value in its own callback", () => {
  const base = textResponse("");
  const json = ' {"a" : [1, 2.50, "\\u00e9"],\n"b":null} ';
  assert.is(answered(textResponse('line\n"quoted" é\u0001')), '"line\\n\\"quoted\\" é\\u0001"');
  assert.is(answered({ ...base, output: { kind: "Json", json: json.trim() } }), json.trim());
  assert.is(answered({ ...base, output: { kind: "Json", json: "null" } }), "null");
  for (const length of [0, 1, 2, 3, 300]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + 255) & 255);
    const answer = answered({ ...base, output: { kind: "Bytes", bytes } });
    assert.is(answer, JSON.stringify(Buffer.from(bytes).toString("base64")));
  }
  assert.is(answered({ ...base, output: undefined }), "null");
  assert.is(answered({ ...base, success: false, output: undefined, error: "exit 1" }), "null");
});

test("a failure costs the base fee alone, and its reason is in the event", () => {
  const world = World.started([1, 1, 1]);
  const asked = world.ask({}, PAYMENT);
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  expectOk(resolve(world, { response: { ...textResponse("partial"), success: false, error: "exit 1" } }));
  assert.is(world.finalValue(asked.hash), "null");
  const { data } = completed(world, asked.hash);
  assert.is(data.success, false);
  assert.is(data.error_message, "exit 1");
  assert.is(data.payment_charged, BASE_FEE.toString());
  assert.is(data.payment_refunded, (PAYMENT - BASE_FEE).toString());
});

test("no answer within the yield: refund less base fee, and an event says so", () => {
  const world = World.started([1, 1, 1]);
  const total = world.totalYocto();
  const asked = world.ask({}, PAYMENT);
  const before = world.balance("alice.test");
  world.advance(220);
  assert.is(world.finalValue(asked.hash), "null");
  const { event, data } = completed(world, asked.hash);
  assert.is(event, "execution_completed");
  assert.is(data.success, false);
  assert.match(data.error_message as string, /^timed out: /);
  assert.equal(data.resources_used, { instructions: 0, time_ms: 0, compile_time_ms: null });
  assert.is(data.payment_charged, BASE_FEE.toString());
  assert.is(data.payment_refunded, (PAYMENT - BASE_FEE).toString());
  // Some of the gas that was kept for the callback comes back with the refund.
  assert.ok(world.balance("alice.test") - before >= PAYMENT - BASE_FEE);
  assert.is(world.request(0), undefined);
  assert.is(JSON.parse(world.view("get_network")).liabilities, (3n * NEAR).toString());
  assert.is(world.totalYocto(), total);
  assertSolvent(world);
});

test("fuel beyond the payment costs the payment, whatever a quorum reports", () => {
  for (const instructions of [10n ** 15n, 2n ** 64n - 1n]) {
    const world = leased();
    expectOk(resolve(world, { response: { ...textResponse("x"), instructions } }));
    assert.is(world.view("get_stats"), `[1,"${PAYMENT}"]`);
    assertSolvent(world);
  }
});

test("the outcome is stored as the shared record until the callback has settled", () => {
  const world = leased();
  const args = answerArgs(world);
  const signed = NODES.slice(0, 3).map((name) => attest(world, name));
  let seen: Uint8Array | undefined;
  const stop = world.chain.onBlock(() => {
    seen ??= world.stored(stateKeys.outcome(0));
  });
  const request = world.request(0)!;
  const lease = world.lease(0)!;
  const { outcome } = expectOk(world.call("bob.test", "resolve_execution", args));
  stop();
  const expected = {
    leaseEpoch: 0,
    holder: lease.holder,
    codeHash: CODE_HASH,
    response: textResponse("hello"),
    tapeHash: TAPE_HASH,
    attestations: signed,
    resolvedHeight: outcome.blockHeight,
    chargedYocto: CHARGED,
  };
  assert.is(request.requestId, 0);
  assert.equal(seen, encode(outcomeRecord, expected));
});

test("a second answer is refused, before and after the first has settled", () => {
  const world = leased();
  const args = answerArgs(world);
  const at = world.height + 2;
  const results = world.schedule([
    { signer: "bob.test", method: "resolve_execution", args, atHeight: at },
    { signer: "alice.test", method: "resolve_execution", args, atHeight: at },
  ]);
  assert.equal(results.map(({ panic }) => panic ?? "ok").sort(), ["AlreadyResolved", "ok"]);
  assert.is(world.view("get_stats"), `[1,"${CHARGED}"]`);
  assert.is(world.call("bob.test", "resolve_execution", args).panic, "NoSuchRequest");
});

test("signatures that are not about exactly this answer are refused", () => {
  const world = leased();
  const refused = (answer: Answer) => resolve(world, answer).panic;
  assert.is(refused({ signedResponse: textResponse("another") }), "BadSignature");
  assert.is(refused({ chainId: "mainnet" }), "BadSignature");
  const args = answerArgs(world);
  const change = (from: string, to: string) => {
    assert.ok(args.includes(from));
    return world.call("bob.test", "resolve_execution", args.replace(from, to)).panic;
  };
  assert.is(change('"instructions":6999999', '"instructions":7000000'), "BadSignature");
  assert.is(change('"time_ms":7', '"time_ms":8'), "BadSignature");
  assert.is(change('"refund_usd":null', '"refund_usd":1'), "BadSignature");
  assert.is(change('{"Text":"hello"}', '{"Json":"hello"}'), "BadSignature");
  assert.is(change("c0".repeat(32), "c1".repeat(32)), "WrongCode");
  assert.is(change("00".repeat(32), "01".repeat(32)), "BadSignature");
  assert.is(change('"account_id":"n1.test"', '"account_id":"n0.test"'), "DuplicateSigner");
  assert.is(change('"account_id":"n1.test"', '"account_id":"alice.test"'), "NotRegistered");
  assert.is(change('"signature":"', '"signature":"A'), "BadSignatureEncoding");
  assert.is(change('"seat":0', '"seat":1'), "NoSuchSeat");
  assert.is(change('"lease_epoch":0', '"lease_epoch":1'), "WrongLeaseEpoch");
  assert.is(change('"request_id":0', '"request_id":1'), "NoSuchRequest");
  // A signature of another lease's result, over this one's text.
  assert.is(world.view("get_stats"), '[0,"0"]');
  assert.is(world.call("bob.test", "resolve_execution", args).panic, undefined);
});

test("answers without lease, quorum or time are refused", () => {
  const world = World.started([1, 1, 1]);
  world.ask({}, PAYMENT);
  const bare = resolveExecutionArgs({
    requestId: 0,
    leaseEpoch: 0,
    codeHash: CODE_HASH,
    tapeHash: TAPE_HASH,
    response: textResponse("hello"),
    attestations: [],
  });
  assert.is(world.call("bob.test", "resolve_execution", bare).panic, "NoLease");
  world.advance(40);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  assert.is(world.call("bob.test", "resolve_execution", bare).panic, "BelowQuorum");
  assert.is(resolve(world, { signers: ["n0.test"] }).panic, "BelowQuorum");
  assert.is(world.call("operator.test", "resolve_execution", bare).panic, "BelowQuorum");
  const args = answerArgs(world);
  const { deadlineHeight } = world.request(0)!;
  assert.is(
    world.call("bob.test", "resolve_execution", args, { atHeight: deadlineHeight + 1 }).panic,
    "DeadlinePassed",
  );
});

test("the last block of the deadline still counts, and a lease that ran out without a successor too", () => {
  const world = leased();
  const { deadlineHeight } = world.request(0)!;
  assert.ok(world.lease(0)!.untilHeight < deadlineHeight);
  const args = answerArgs(world);
  expectOk(world.call("bob.test", "resolve_execution", args, { atHeight: deadlineHeight }));
});

test("an answer of an earlier lease is worth nothing under a later one", () => {
  const world = leased();
  const early = answerArgs(world);
  world.advanceTo(world.lease(0)!.untilHeight + 20);
  expectOk(world.call("n1.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 1 })));
  assert.is(world.call("bob.test", "resolve_execution", early).panic, "WrongLeaseEpoch");
  assert.is(
    world.call("bob.test", "resolve_execution", early.replace('"lease_epoch":0', '"lease_epoch":1')).panic,
    "BadSignature",
  );
  expectOk(resolve(world));
  // n1 holds the lease now, so what does not divide is its share.
  assert.ok(earnings(world, "n1.test") > earnings(world, "n0.test"));
});

test("only drawn replay seats and the holder may sign", () => {
  const world = leased([6, 6, 6, 6, 6], { replaySeats: 6, quorum: 2 });
  const request = world.request(0)!;
  const seats = NODES.slice(1, 5).flatMap((name) =>
    Array.from({ length: 6 }, (_, seat) => {
      const ticket = drawTicket(OUTLAYER, request.seed, { kind: "replay" }, name, seat);
      return { name, seat, drawn: isEligible(ticket, 6, request.seatsTotal) };
    }),
  );
  const drawn = seats.find((seat) => seat.drawn)!;
  const stranger = seats.find((seat) => !seat.drawn && seat.name !== drawn.name)!;
  const args = (...signers: { name: string; seat: number }[]) =>
    resolveExecutionArgs({
      requestId: 0,
      leaseEpoch: 0,
      codeHash: CODE_HASH,
      tapeHash: TAPE_HASH,
      response: textResponse("hello"),
      attestations: signers.map(({ name, seat }) => attest(world, name, { seat })),
    });
  const holder = { name: "n0.test", seat: 5 };
  assert.is(world.call("bob.test", "resolve_execution", args(holder, stranger)).panic, "NotInCommittee");
  expectOk(world.call("bob.test", "resolve_execution", args(holder, drawn)));
  assert.is(earnings(world, "n0.test") + earnings(world, drawn.name), CHARGED);
});

test("the code of a WasmUrl request is the code that it names", () => {
  const hash = "ab".repeat(32);
  const source = { WasmUrl: { url: "https://example.org/a.wasm", hash } };
  const world = leased([1, 1, 1], {}, { source });
  assert.is(resolve(world).panic, "WrongCode");
  expectOk(resolve(world, { codeHash: new Uint8Array(32).fill(0xab) }));
});

test("a response that is not the surface's is refused by name", () => {
  const world = leased();
  const args = answerArgs(world);
  const change = (from: string, to: string) => {
    assert.ok(args.includes(from));
    return world.call("bob.test", "resolve_execution", args.replace(from, to)).panic;
  };
  assert.is(change('"success":true', '"success":1'), "BadType");
  assert.is(change('"success":true,', ""), "MissingField");
  assert.is(change('{"Text":"hello"}', "{}"), "BadOutput");
  assert.is(change('{"Text":"hello"}', '{"Text":"hello","Json":1}'), "BadOutput");
  assert.is(change('{"Text":"hello"}', '{"Bytes":[1,256]}'), "BadType");
  assert.is(change('{"Text":"hello"}', '{"Bytes":[1,-2]}'), "BadType");
  assert.is(change('{"Text":"hello"}', '{"Bytes":[1,"2"]}'), "BadType");
  assert.is(change('{"Text":"hello"}', '{"Bytes":[1.5]}'), "BadType");
  assert.is(change('{"Text":"hello"}', `{"Text":"${"x".repeat((256 << 10) + 1)}"}`), "TooLong");
  assert.is(change('"error":null', `"error":"${"x".repeat(513)}"`), "TooLong");
  assert.is(change('"time_ms":7,', ""), "MissingField");
  assert.is(change("c0".repeat(32), "c0"), "BadHash");
});

test("a short run is claimed and answered in one call, with the sender as its holder", () => {
  const world = World.started([1, 1, 1]);
  const asked = world.ask({}, PAYMENT);
  world.advance(40);
  const args = (holder: string, signers = NODES.slice(0, 3)) =>
    claimAndResolveArgs({
      requestId: 0,
      seat: 0,
      leaseEpoch: 0,
      codeHash: CODE_HASH,
      tapeHash: TAPE_HASH,
      response: textResponse("hello"),
      attestations: signers.map((signer) => attest(world, signer, { lease: { leaseEpoch: 0, holder } })),
    });
  const fused = (who: string, text: string) => world.call(who, "claim_and_resolve", text);
  // Copied from the mempool it claims the lease for the copier, of whom the signatures do not speak.
  assert.is(fused("n2.test", args("n1.test")).panic, "BadSignature");
  assert.is(fused("alice.test", args("n1.test")).panic, "NotRegistered");
  assert.is(fused("n1.test", args("n1.test", ["n1.test"])).panic, "BelowQuorum");
  assert.is(world.lease(0), undefined);
  const { logs, gas } = expectOk(fused("n1.test", args("n1.test")));
  console.log(`claim_and_resolve: ${Math.round(gas / 1e10) / 100} Tgas`);
  assert.is(eventsIn(logs)[0]!.event, "lease_claimed");
  assert.is(world.finalValue(asked.hash), '"hello"');
  assert.is(earnings(world, "n1.test"), CHARGED - 2n * ((CHARGED * 4_000n) / 10_000n / 2n));
});

test("the flat form resolves too, without refund_usd", () => {
  const world = leased();
  const { response, ...rest } = JSON.parse(answerArgs(world));
  const flat = JSON.stringify({ ...rest, ...response, refund_usd: 5 });
  assert.is(world.call("bob.test", "submit_execution_output_and_resolve", '{"request_id":0}').panic, "MissingField");
  expectOk(world.call("bob.test", "submit_execution_output_and_resolve", flat));
  assert.is(world.request(0), undefined);
});

test("a long response comes as its digest and then in chunks, from anybody, at the sender's cost", () => {
  const total = World.started([1, 1, 1]).totalYocto();
  const world = leased();
  const response = textResponse("long ".repeat(2_000));
  const bytes = encode(guestResponse, response);
  const lease = world.lease(0)!;
  const announce = announceOutputArgs({
    requestId: 0,
    leaseEpoch: lease.leaseEpoch,
    codeHash: CODE_HASH,
    tapeHash: TAPE_HASH,
    responseHash: responseHash(response),
    responseBytes: bytes.length,
    attestations: NODES.slice(0, 3).map((signer) => attest(world, signer, { response })),
  });
  const send = (who: string, from: number, to: number, data = bytes, deposit = NEAR / 5n) =>
    world.call(
      who,
      "submit_output_chunk",
      outputChunkArgs({ requestId: 0, offset: from, data: data.slice(from, to) }),
      {
        depositYocto: deposit,
      },
    );
  assert.is(send("bob.test", 0, 4_000).panic, "NothingAnnounced");
  expectOk(world.call("bob.test", "submit_execution_output", announce));
  assert.is(world.view("has_pending_output", '{"request_id":0}'), "true");
  assert.is(JSON.parse(world.view("get_pending_output", '{"request_id":0}')).response_bytes, bytes.length);
  assert.is(send("bob.test", 0, 4_000, bytes, 0n).panic, "InsufficientDeposit");
  const before = world.balance("bob.test");
  expectOk(send("bob.test", 0, 4_000));
  assert.ok(before - world.balance("bob.test") > 4_000n * 10n ** 19n);
  assert.is(send("bob.test", 3_000, 5_000).panic, "WrongOffset");
  // Somebody else's wrong bytes are in nobody's way.
  const wrong = Uint8Array.from(bytes, (byte) => byte ^ 1);
  expectOk(send("alice.test", 0, bytes.length, wrong, NEAR));
  // Nor is a length that somebody makes up for the same signatures.
  for (const response_bytes of [100, 4_000, bytes.length + 1]) {
    expectOk(
      world.call("alice.test", "submit_execution_output", JSON.stringify({ ...JSON.parse(announce), response_bytes })),
    );
  }
  assert.is(send("bob.test", 4_000, 270_000, new Uint8Array(270_000), 3n * NEAR).panic, "TooLong");
  expectOk(send("bob.test", 4_000, bytes.length));
  assert.ok(before - world.balance("bob.test") < NEAR / 50n);
  assert.is(world.request(0), undefined);
  expectOk(world.call("alice.test", "drop_output_chunks", '{"request_id":0}'));
  assert.is(world.call("alice.test", "drop_output_chunks", '{"request_id":0}').panic, "NothingStored");
  assert.is(world.totalYocto(), total);
  assertSolvent(world);
});

/** Arguments that announce bytes which three nodes signed, whatever they are. */
function announcementOf(world: World, raw: Uint8Array): string {
  const request = world.request(0)!;
  const hash = new Uint8Array(createHash("sha256").update(raw).digest());
  const digest = statementDigest({
    domain: RESULT_DOMAIN,
    chainId: CHAIN_ID,
    contractId: OUTLAYER,
    requestId: 0,
    requestDigest: requestDigest(request),
    leaseEpoch: 0,
    holder: "n0.test",
    codeHash: CODE_HASH,
    replayClass: REPLAY_CLASS_PURE,
    costVersion: request.costVersion,
    inputHash: request.inputHash,
    seed: request.seed,
    responseHash: hash,
    tapeHash: TAPE_HASH,
  });
  return announceOutputArgs({
    requestId: 0,
    leaseEpoch: 0,
    codeHash: CODE_HASH,
    tapeHash: TAPE_HASH,
    responseHash: hash,
    responseBytes: raw.length,
    attestations: NODES.slice(0, 3).map((accountId) => ({
      accountId,
      seat: 0,
      signature: new Uint8Array(sign(null, digest, keyOf(accountId).privateKey)),
    })),
  });
}

test("a response in chunks is read as strictly as a direct one, whoever signed it", () => {
  const failed = (error: string) => ({ ...textResponse(""), success: false, output: undefined, error });
  // A text of any length, as no codec of the protocol would write it.
  const long = Buffer.from(encode(guestResponse, failed("@"))).toString("latin1");
  const withError = (error: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(error.length);
    return Buffer.from(long.replace("\x01\0\0\0@", `${length.toString("latin1")}${error}`), "latin1");
  };
  const cases: [Uint8Array, string | undefined][] = [
    [withError("a".repeat(512)), undefined],
    [withError("a".repeat(20_000)), "TooLong"],
    [withError("\xff"), "BadBorsh"],
    // Attestations and a charge of the sender's own making.
    [Buffer.concat([encode(guestResponse, textResponse("x")), Buffer.alloc(200, 1)]), "BadBorsh"],
    [encode(guestResponse, textResponse("x")).slice(0, -1), "BadBorsh"],
  ];
  for (const [raw, panic] of cases) {
    const world = leased();
    expectOk(world.call("n0.test", "submit_execution_output", announcementOf(world, raw)));
    const args = outputChunkArgs({ requestId: 0, offset: 0, data: raw });
    assert.is(world.call("n0.test", "submit_output_chunk", args, { depositYocto: NEAR }).panic, panic);
    // The digest binds nobody: another answer is still taken.
    if (panic !== undefined) expectOk(resolve(world));
    assert.is(world.request(0), undefined);
  }
});

/** Puts bytes into the contract's state, past all rules. */
function put(world: World, entries: readonly (readonly [Uint8Array, Uint8Array])[]): void {
  const patches = entries.map(([key, value]) => {
    return { column: "data", accountId: OUTLAYER, key: Buffer.from(key).toString("latin1"), value } as const;
  });
  const account = world.chain.stateAt("optimistic").get("account", OUTLAYER, "")!;
  const storageUsage =
    account.storageUsage + entries.reduce((sum, [key, value]) => sum + key.length + value.length + 40, 0);
  const grown = { column: "account", accountId: OUTLAYER, key: "", value: { ...account, storageUsage } } as const;
  world.chain.produceBlock(undefined, [grown, ...patches]);
}

/** Puts an outcome there that this contract would refuse, as an older one may have left it. */
function plant(world: World, requestId: number, error: Uint8Array): void {
  const response = { ...textResponse(""), success: false, output: undefined, error: "" };
  const outcome = { leaseEpoch: 0, holder: "n0.test", codeHash: CODE_HASH, response, tapeHash: TAPE_HASH };
  const bytes = Buffer.from(
    encode(outcomeRecord, { ...outcome, attestations: [], resolvedHeight: 1, chargedYocto: 0n }),
  );
  // Behind lease epoch, holder, code hash, success, no output and the error's own flag.
  const at = 4 + 4 + "n0.test".length + 32 + 3;
  const length = Buffer.alloc(4);
  length.writeUInt32LE(error.length);
  const value = Buffer.concat([bytes.subarray(0, at), length, error, bytes.subarray(at + 4)]);
  put(world, [[stateKeys.outcome(requestId), new Uint8Array(value)]]);
}

test("an announced digest goes with its request, however that ends, and none is announced after an outcome", () => {
  const used = (world: World) => world.chain.stateAt("optimistic").get("account", OUTLAYER, "")!.storageUsage;
  const raw = encode(guestResponse, textResponse("announced"));
  const announced = () => {
    const world = leased([1, 1, 1]);
    expectOk(world.call("alice.test", "submit_execution_output", announcementOf(world, raw)));
    return world;
  };
  const ends: Record<string, (world: World) => void> = {
    another: (world) => {
      expectOk(resolve(world));
    },
    timeout: (world) => world.advance(220),
    cancelled: (world) => {
      expectOk(world.call("owner.test", "emergency_cancel_execution", '{"request_id":0}'));
    },
  };
  const withdrawn = (world: World) => {
    for (const node of NODES.slice(0, 3)) world.call(node, "withdraw_earnings");
    return used(world);
  };
  const without = leased([1, 1, 1]);
  expectOk(resolve(without));
  for (const [name, end] of Object.entries(ends)) {
    const world = announced();
    end(world);
    assert.is(world.request(0), undefined, name);
    assert.is(world.view("has_pending_output", '{"request_id":0}'), "false", name);
    assert.is(withdrawn(world), withdrawn(without), name);
  }

  // As it stands between the outcome and its callback.
  const late = leased();
  const args = announcementOf(late, raw);
  plant(late, 0, Buffer.from("x"));
  assert.is(late.call("alice.test", "submit_execution_output", args).panic, "AlreadyResolved");
});

test("no text keeps a request from ending", () => {
  const world = World.started([1, 1, 1]);
  const texts = [Buffer.alloc(20_000, "a"), Buffer.alloc(300, 0xff), Buffer.alloc(512, 1), Buffer.alloc(511, "é")];
  const asked = texts.map(() => world.ask());
  texts.forEach((text, requestId) => {
    plant(world, requestId, text);
  });
  world.advance(220);
  const shown = asked.map(({ hash }) => String(completed(world, hash).data.error_message).length);
  assert.equal(shown, [512, 0, 512, 255]);
  assert.equal(JSON.parse(world.view("get_pending_request_ids")), []);
});

test("clearing what no callback ended logs no more than a call may", () => {
  const world = World.started([1, 1, 1]);
  const source = { WasmUrl: { url: `https://example.org/${'"'.repeat(2_000)}`, hash: "c0".repeat(32) } };
  const ids = [0, 1, 2, 3, 4];
  for (const _ of ids) world.ask({ source });
  const page = Buffer.concat([Buffer.from("p"), Buffer.alloc(8)]);
  const keys = [...ids.map((id) => stateKeys.request(id)), new Uint8Array(page), new TextEncoder().encode("STATE")];
  const entries = keys.map((key) => [key, world.stored(key)!] as const);
  world.advance(1_300);
  put(world, entries);
  const cleared = ids.map(() => {
    const { hash } = expectOk(world.call("owner.test", "clear_all_pending_requests", "{}"));
    return Number(world.finalValue(hash));
  });
  assert.ok(cleared[0]! > 0 && cleared[0]! < ids.length);
  assert.is(
    cleared.reduce((sum, count) => sum + count),
    ids.length,
  );
});

test("nobody but the contract calls the callback", () => {
  const world = leased();
  assert.is(world.call("owner.test", "on_execution_response", '{"request_id":0}').panic, "Private");
});

test("cancelling is for the caller, and only when the yield is over", () => {
  const world = leased();
  const cancel = (who: string) => world.call(who, "cancel_stale_execution", '{"request_id":0}').panic;
  assert.is(cancel("bob.test"), "NotTheCaller");
  assert.is(cancel("alice.test"), "NotStale");
});

/** A contract whose `on_execution_response` never ends. */
const ENDLESS_CALLBACK = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0],
  ...[7, 25, 1, 21, ...new TextEncoder().encode("on_execution_response"), 0, 0],
  ...[10, 9, 1, 7, 0, 3, 0x40, 0x0c, 0, 0x0b, 0x0b],
]);

test("a callback out of gas leaves money and state as they were, and the caller takes its payment back", () => {
  // Before anybody asks: the gas of a yield is on its way until it ends.
  const total = World.started([1, 1, 1]).totalYocto();
  const world = leased();
  const { paymentYocto } = world.request(0)!;
  const deploy = (code: Uint8Array<ArrayBuffer>) =>
    world.chain.produceBlock(undefined, [{ column: "code", accountId: OUTLAYER, key: "", value: code }]);
  const owed = () => BigInt(JSON.parse(world.view("get_network")).liabilities);
  const before = owed();
  deploy(ENDLESS_CALLBACK);
  world.advance(220);
  deploy(outlayerWasm);
  assert.ok(world.request(0), "the callback failed");
  assert.is(owed(), before);
  world.advance(1_000);
  const cancelled = expectOk(world.call("alice.test", "cancel_stale_execution", '{"request_id":0}'));
  assert.ok(cancelled.logs.some((line) => line.includes("execution_completed")));
  assert.is(world.request(0), undefined);
  assert.is(owed(), before - paymentYocto);
  assert.is(world.totalYocto(), total);
});

test.run();
