/** Every method that changes something, called once with success: what the gas table and the adversarial cases start from. */
import { encode } from "@outlayer/protocol/wire/borsh";
import { guestResponse, responseHash } from "@outlayer/protocol/wire/records";
import {
  type AttestedResult,
  announceOutputArgs,
  appealArgs,
  claimAndResolveArgs,
  claimLeaseArgs,
  disputeArgs,
  initializeArgs,
  objectArgs,
  outputChunkArgs,
  proveEquivocationArgs,
  renewLeaseArgs,
  stateKeys,
} from "../../client/index.ts";
import { buildArgs, RECIPE, REPOSITORY } from "./build-world.ts";
import {
  answerArgs,
  attest,
  type CallOptions,
  type CallResult,
  CHAIN_ID,
  CODE,
  CODE_HASH,
  eventsIn,
  expectOk,
  GITHUB,
  LIMITS,
  NEAR,
  NODES,
  OUTLAYER,
  outlayerWasm,
  signedStatement,
  TAPE_HASH,
  textResponse,
  World,
} from "./world.ts";

export interface Call {
  readonly method: string;
  readonly signer: string;
  readonly args: string | Uint8Array;
  readonly options: CallOptions;
  readonly result: CallResult;
}

const paid = { depositYocto: NEAR / 5n };
const WASM = { WasmUrl: { url: "https://example.org/a.wasm", hash: "ab".repeat(32) } };
const SECRET = { accessor: { Project: { project_id: "alice.test/app" } }, profile: "p" };
const base64 = (length: number) => Buffer.alloc(length, 1).toString("base64");

/** Plays the calls of a life in a world, and keeps them. */
class Player {
  readonly calls: Call[] = [];
  world: World;
  constructor(world: World) {
    this.world = world;
  }
  play(signer: string, method: string, args: object | string | Uint8Array = {}, options: CallOptions = {}): CallResult {
    const input = typeof args === "string" || args instanceof Uint8Array ? args : JSON.stringify(args);
    const result = expectOk(this.world.call(signer, method, input, options));
    this.calls.push({ method, signer, args: input, options, result });
    return result;
  }
  ask(source: object = CODE): CallResult {
    const args = { source, resource_limits: LIMITS, input_data: "input" };
    return this.play("alice.test", "request_execution", args, { depositYocto: NEAR / 10n });
  }
  claim(requestId: number, holder = "n0.test"): void {
    this.world.advance(30);
    this.play(holder, "claim_lease", claimLeaseArgs({ requestId, seat: 0, leaseEpoch: 0 }));
  }
  /** Receipts that the contract makes for itself, as calls of their own. */
  receipt(method: string, from: CallResult, isIt: (outcome: CallResult["outcome"]) => boolean): void {
    const outcome = this.world.outcomes(from.hash).find(isIt)!;
    const result = { ...from, outcome, gas: outcome.gasBurnt };
    this.calls.push({ method, signer: OUTLAYER, args: "{}", options: {}, result });
  }
  /** The costliest of the contract's receipts after the call itself. */
  callback(method: string, from: CallResult): void {
    const later = this.world.outcomes(from.hash).slice(1);
    const most = Math.max(...later.map(({ gasBurnt }) => gasBurnt));
    this.receipt(method, from, (outcome) => later.find(({ gasBurnt }) => gasBurnt === most) === outcome);
  }
}

function attested(world: World, requestId: number, output: string, signers: readonly string[]): AttestedResult {
  const lease = world.lease(requestId)!;
  const response = textResponse(output);
  return {
    leaseEpoch: lease.leaseEpoch,
    holder: lease.holder,
    codeHash: CODE_HASH,
    responseHash: responseHash(response),
    tapeHash: TAPE_HASH,
    attestations: signers.map((signer) => attest(world, signer, { requestId, response })),
  };
}

const completes = ({ logs }: { logs: readonly string[] }) => logs.some((line) => line.includes("execution_completed"));

function playRequests(player: Player): void {
  const { world } = player;
  const THREE = NODES.slice(0, 3);
  const asked = player.ask();
  player.claim(0);
  player.play("n0.test", "renew_lease", renewLeaseArgs({ requestId: 0, leaseEpoch: 0 }));
  player.play("bob.test", "resolve_execution", answerArgs(world));
  player.receipt("on_execution_response", asked, completes);
  player.play("n0.test", "withdraw_earnings");

  player.ask();
  world.advance(30);
  const lease = { leaseEpoch: 0, holder: "n1.test" };
  const fused = {
    requestId: 1,
    seat: 0,
    leaseEpoch: 0,
    codeHash: CODE_HASH,
    tapeHash: TAPE_HASH,
    response: textResponse("hello"),
    attestations: THREE.map((signer) => attest(world, signer, { requestId: 1, lease })),
  };
  player.play("n1.test", "claim_and_resolve", claimAndResolveArgs(fused));

  player.ask();
  player.claim(2);
  const { response, ...rest } = JSON.parse(answerArgs(world, { requestId: 2 }));
  player.play("bob.test", "submit_execution_output_and_resolve", { ...rest, ...response });

  player.ask();
  player.claim(3);
  const long = textResponse("x".repeat(3_000));
  const bytes = encode(guestResponse, long);
  const announced = {
    requestId: 3,
    ...attested(world, 3, "x".repeat(3_000), THREE),
    responseBytes: bytes.length,
  };
  player.play("bob.test", "submit_execution_output", announceOutputArgs(announced));
  const chunk = (from: number, to: number) =>
    outputChunkArgs({ requestId: 3, offset: from, data: bytes.slice(from, to) });
  player.play("alice.test", "submit_output_chunk", chunk(0, 1_000), paid);
  player.play("alice.test", "drop_output_chunks", { request_id: 3 });
  player.play("bob.test", "submit_output_chunk", chunk(0, bytes.length), paid);

  player.ask(REPOSITORY);
  player.play("owner.test", "add_recipe", { recipe_id: Buffer.from(RECIPE).toString("hex") });
  player.claim(4);
  player.play("bob.test", "bind_build", buildArgs(world, { requestId: 4 }), paid);
  player.play("owner.test", "retire_recipe", { recipe_id: Buffer.from(RECIPE).toString("hex") });
  player.play("owner.test", "emergency_cancel_execution", { request_id: 4 });
  player.play("owner.test", "clear_all_pending_requests", { limit: 1 });

  player.ask();
  player.claim(5);
  const record = world.stored(stateKeys.request(5))!;
  const wrong = attested(world, 5, "wrong", THREE);
  const right = attested(world, 5, "right", NODES.slice(3, 10));
  player.play("alice.test", "dispute", disputeArgs(record, wrong, right));
  player.play("owner.test", "clear_slash", { account_id: "n2.test", request_id: 5 });
  player.play("n1.test", "appeal", appealArgs("n1.test", record, attested(world, 5, "wrong", NODES.slice(3, 10))));
  const [one, two] = ["a", "b"].map((text) => signedStatement(world, "n4.test", 5, textResponse(text)));
  player.play("bob.test", "prove_equivocation", proveEquivocationArgs("n4.test", one!, two!));
  world.advance(410);
  player.play("bob.test", "take_slashed", { account_id: "n0.test" });
}

function playProjects(player: Player): void {
  const { world } = player;
  player.play("alice.test", "create_project", { name: "app", source: GITHUB }, paid);
  player.play("alice.test", "add_version", { project_name: "app", source: WASM, set_active: true }, paid);
  const key = `${GITHUB.GitHub.repo}@main`;
  player.play("alice.test", "set_active_version", { project_name: "app", version_key: key }, paid);
  player.play("alice.test", "remove_version", { project_name: "app", version_key: "ab".repeat(32) });
  const pricing = {
    author_account_id: "n0.test",
    operations: [{ operation: "send", price_usd: "10", developer_share_bp: 5 }],
  };
  player.play("owner.test", "set_project_pricing", { project_id: "alice.test/app", pricing });
  player.play("owner.test", "remove_project_pricing", { project_id: "alice.test/app" });
  player.play("alice.test", "transfer_project", { project_name: "app", new_owner: "bob.test" }, paid);
  player.play("bob.test", "accept_project", { from: "alice.test", project_name: "app" }, paid);
  player.play("bob.test", "delete_project", { project_name: "app" });

  player.play("alice.test", "store_secrets", { ...SECRET, encrypted_secrets_base64: "AbCd", access: "AllowAll" }, paid);
  player.play(
    "alice.test",
    "update_access",
    { ...SECRET, new_access: { Whitelist: { accounts: ["bob.test"] } } },
    paid,
  );
  player.play("alice.test", "delete_secrets", SECRET);

  player.play("owner.test", "set_payment_token_contract", { token_contract: "bob.test" });
  const deposit = { sender_id: "alice.test", amount: "2000000", msg: '{"action":"deposit_balance"}' };
  player.play("bob.test", "ft_on_transfer", deposit);
  const withdrawn = player.play("alice.test", "withdraw_stablecoin_balance");
  player.callback("on_stablecoin_sent", withdrawn);
  const paymentKey = {
    accessor: { System: "PaymentKey" },
    profile: "1",
    encrypted_secrets_base64: "AbCd",
    access: "AllowAll",
  };
  expectOk(world.call("alice.test", "store_secrets", JSON.stringify(paymentKey), paid));
  const topUp = { ...deposit, msg: '{"action":"top_up_payment_key","nonce":1}' };
  const asked = expectOk(world.call("bob.test", "ft_on_transfer", JSON.stringify(topUp)));
  const event = eventsIn(asked.logs)[0]!.data.TopUpPaymentKey as { data_id: number[] };
  const answer = {
    data_id: Buffer.from(event.data_id).toString("hex"),
    result: { Success: { new_encrypted_data: "EfGh" } },
  };
  player.play("operator.test", "resume_topup", answer);
  player.callback("on_top_up_response", asked);
  player.play("alice.test", "delete_payment_key", { nonce: 1 }, { depositYocto: 1n });
}

function playNetwork(player: Player): void {
  const { world } = player;
  player.play("n10.test", "register_node", world.registration("n10.test"), { depositYocto: NEAR });
  player.play("n10.test", "add_stake", {}, { depositYocto: NEAR });
  player.play("n10.test", "set_node_status", { draining: true });
  player.play("n10.test", "begin_exit");
  const members = [{ account_id: "n7.test", shares: 1, encryption_key: base64(48) }];
  player.play("owner.test", "open_epoch", {
    members,
    threshold: 1,
    deal_blocks: 10,
    complaint_blocks: 10,
    attest_blocks: 20,
  });
  player.play("n7.test", "post_deal", { epoch: 1, deal: base64(2 * 96 + 64 + 48 + 48) });
  world.advance(8);
  player.play("n7.test", "post_complaint", { epoch: 1, dealer: "n7.test", complaint: base64(120) });
  world.advance(8);
  const attestation = {
    epoch: 1,
    transcript_hash: base64(32),
    master_public_key: base64(96),
    own_public_key: base64(96),
  };
  player.play("n7.test", "attest", attestation);
  player.play("owner.test", "set_operator", { new_operator_id: "operator.test" });
  player.play("owner.test", "set_paused", { paused: false });
  player.play("owner.test", "set_pricing", { base_fee: "1000000000000000000000" });
  player.play("owner.test", "set_levels", { levels: [{ replay_seats: 36, quorum: 18, base_fee: "2" }] });
  player.play("owner.test", "set_event_metadata", { standard: "near-outlayer", version: "1.0.0" });
  world.advance(450);
  player.play("n10.test", "withdraw_stake");
  player.play(OUTLAYER, "migrate");
  player.play("owner.test", "upgrade", outlayerWasm);
  player.play("owner.test", "set_owner", { new_owner_id: "owner.test" });
}

/** Announcements need a network with a timelock. */
function playTimelock(player: Player): void {
  player.play("owner.test", "set_owner", { new_owner_id: "bob.test" });
  player.play("owner.test", "cancel_announcement", { method: "set_owner" });
}

/** Objections need a network with challenge blocks. */
function playChallenge(player: Player): void {
  const { world } = player;
  for (const requestId of [0, 1]) {
    player.ask();
    player.claim(requestId, "n0.test");
    player.play("bob.test", "resolve_execution", answerArgs(world, { requestId }));
    if (requestId === 0) {
      world.advance(12);
      player.play("bob.test", "finalize_execution", { request_id: 0 });
    } else player.play("n8.test", "object", objectArgs({ requestId: 1, seat: 0 }), { depositYocto: NEAR });
  }
}

/** Ways out that need time or a payer that does not exist. */
function playEnds(player: Player): void {
  const args = { source: GITHUB, resource_limits: LIMITS, payer_account_id: "nobody.test" };
  const asked = player.play("alice.test", "request_execution", args, { depositYocto: NEAR / 10n });
  player.world.advance(220);
  player.receipt("on_refund", asked, ({ logs }) => logs.some((line) => line.includes("refund_bounced")));
}

/** Calls of every method but those that nobody may call, and two that need a failed callback or a token's earnings. */
export function everyCall(): Call[] {
  const seats = Array.from({ length: 10 }, () => 1);
  const level = { replaySeats: 144, quorum: 3, stakeEpochBlocks: 200 };
  const fresh = new Player(new World());
  fresh.play(
    "owner.test",
    "new",
    initializeArgs("owner.test", "operator.test", { chainId: CHAIN_ID, seatStakeYocto: NEAR }),
  );
  const main = new Player(World.started(seats, level));
  playRequests(main);
  playProjects(main);
  playNetwork(main);
  const challenge = new Player(World.started(seats, { ...level, challengeBlocks: 10 }));
  playChallenge(challenge);
  const ends = new Player(World.started([1]));
  playEnds(ends);
  const locked = new Player(World.started([1], { timelockBlocks: 10 }));
  playTimelock(locked);
  return [fresh, main, challenge, ends, locked].flatMap(({ calls }) => calls);
}
