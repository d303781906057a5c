/** Frozen, taken and cleared stake after any run of verdicts, against the rules in a page. */
import { createHash, sign } from "node:crypto";
import { encode } from "@outlayer/protocol/wire/borsh";
import { requestDigest } from "@outlayer/protocol/wire/records";
import { REPLAY_CLASS_PURE, RESULT_DOMAIN, resultStatement } from "@outlayer/protocol/wire/statement";
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { proveEquivocationArgs } from "../../client/index.ts";
import { CHAIN_ID, keyOf, NEAR, NODES, OUTLAYER, World } from "./world.ts";

const EPOCH_BLOCKS = 200;
const ACCOUNTS = 2;
const REQUESTS = 4;
/** The chain forgets after some 2,000 blocks what the first transactions burnt. */
const MOST_WAITS = 5;
const REPORTER = "alice.test";

interface Frozen {
  readonly requestId: number;
  readonly due: number;
  readonly amount: bigint;
}

interface Account {
  stake: bigint;
  slashed: boolean;
  lockedUntil: number;
  frozen: Frozen[];
  readonly incidents: Set<number>;
}

function least(...amounts: bigint[]): bigint {
  let found = amounts[0]!;
  for (const amount of amounts) if (amount < found) found = amount;
  return found;
}

class Model {
  readonly accounts: Account[];
  readonly cap: bigint;
  readonly together = new Map<number, bigint>();
  earned = 0n;

  constructor(seats: readonly number[], replaySeats: number) {
    this.cap = BigInt(replaySeats) * NEAR;
    this.accounts = seats.map((count) => {
      return { stake: BigInt(count) * NEAR, slashed: false, lockedUntil: 0, frozen: [], incidents: new Set<number>() };
    });
  }

  play(kind: keyof typeof CALLS, account: Account, requestId: number, height: number): string | undefined {
    if (kind === "slash") return this.slash(account, requestId, height);
    if (kind === "take") return this.take(account, height);
    return kind === "clear" ? this.clear(account, requestId, height) : this.leave(account, height);
  }

  slash(account: Account, requestId: number, height: number): string | undefined {
    if (account.incidents.has(requestId)) return "AlreadyPunished";
    account.incidents.add(requestId);
    const before = this.together.get(requestId) ?? 0n;
    const held = account.frozen.reduce((sum, { amount }) => sum + amount, 0n);
    const amount = least(account.stake / 10n, account.stake - held, this.cap - before);
    this.together.set(requestId, before + amount);
    account.slashed = true;
    account.lockedUntil = height + 2 * EPOCH_BLOCKS;
    if (amount > 0n) account.frozen.push({ requestId, due: account.lockedUntil, amount });
    return undefined;
  }

  take(account: Account, height: number): string | undefined {
    const due = account.frozen.filter((one) => one.due <= height);
    for (const { amount } of due) {
      account.stake -= amount;
      this.earned += amount / 5n;
    }
    account.frozen = account.frozen.filter((one) => one.due > height);
    return due.length > 0 ? undefined : "NothingDue";
  }

  clear(account: Account, requestId: number, height: number): string | undefined {
    if (!account.frozen.some((one) => one.requestId === requestId)) return "NotSlashed";
    const cleared = account.frozen.filter((one) => one.requestId === requestId);
    for (const { amount } of cleared) this.together.set(requestId, this.together.get(requestId)! - amount);
    account.frozen = account.frozen.filter((one) => one.requestId !== requestId);
    if (account.frozen.length === 0) account.lockedUntil = height;
    return undefined;
  }

  /** Whoever was never slashed has its seats, and with them its stake. */
  leave(account: Account, height: number): string | undefined {
    if (!account.slashed || account.lockedUntil > height) return "StakeLocked";
    this.take(account, height);
    account.stake = 0n;
    return undefined;
  }
}

/** About requests that are over: the contract knows their digests. */
function equivocation(accountId: string, requestId: number, digests: readonly Uint8Array[]): string {
  const hash = (text: string) => new Uint8Array(createHash("sha256").update(text).digest());
  const [first, second] = ["one", "two"].map((result) => {
    const statement = encode(resultStatement, {
      domain: RESULT_DOMAIN,
      chainId: CHAIN_ID,
      contractId: OUTLAYER,
      requestId,
      requestDigest: digests[requestId]!,
      leaseEpoch: 0,
      holder: "n0.test",
      codeHash: hash("code"),
      replayClass: REPLAY_CLASS_PURE,
      costVersion: 1,
      inputHash: hash("input"),
      seed: hash("seed"),
      responseHash: hash(result),
      tapeHash: hash("tape"),
    });
    const digest = createHash("sha256").update(statement).digest();
    return { statement, signature: new Uint8Array(sign(null, digest, keyOf(accountId).privateKey)) };
  });
  return proveEquivocationArgs(accountId, first!, second!);
}

const at = fc.integer({ min: 0, max: ACCOUNTS - 1 });
const requestId = fc.integer({ min: 0, max: REQUESTS - 1 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("slash" as const), at, requestId }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("take" as const), at, requestId }) },
  fc.record({ kind: fc.constant("clear" as const), at, requestId }),
  fc.record({ kind: fc.constant("leave" as const), at, requestId }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), at, requestId }) },
);

const CALLS = {
  slash: { method: "prove_equivocation", signer: REPORTER },
  take: { method: "take_slashed", signer: "bob.test" },
  clear: { method: "clear_slash", signer: "owner.test" },
  leave: { method: "withdraw_stake", signer: undefined },
} as const;

test("what is frozen, taken, cleared and owed is what the rules say, after every step", () => {
  let taken = 0;
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: ACCOUNTS, maxLength: ACCOUNTS }),
      fc.integer({ min: 1, max: 3 }),
      fc.array(step, { minLength: 12, maxLength: 20 }),
      (seats, replaySeats, steps) => {
        const world = World.started(seats, { replaySeats, stakeEpochBlocks: EPOCH_BLOCKS });
        const model = new Model(seats, replaySeats);
        const digests = Array.from({ length: REQUESTS }, (_, id) => {
          world.ask();
          return requestDigest(world.request(id)!);
        });
        world.advance(210);
        const total = world.totalYocto();
        let waits = 0;
        for (const { kind, at, requestId } of steps) {
          if (kind === "wait") {
            if (waits++ < MOST_WAITS) world.advance((2 * EPOCH_BLOCKS * 3) / 4);
            continue;
          }
          const account = model.accounts[at]!;
          const accountId = NODES[at]!;
          const { method, signer } = CALLS[kind];
          const args =
            kind === "slash"
              ? equivocation(accountId, requestId, digests)
              : { account_id: accountId, request_id: requestId };
          const seen = world.call(signer ?? accountId, method, typeof args === "string" ? args : JSON.stringify(args));
          const gone = account.stake === 0n;
          const height = seen.outcome.blockHeight;
          const expected = gone && kind !== "clear" ? "NotRegistered" : model.play(kind, account, requestId, height);
          assert.is(seen.panic, expected, `${kind} ${accountId} ${requestId}`);
          if (kind === "take" && expected === undefined) taken++;
          const { liabilities } = JSON.parse(world.view("get_network"));
          const stakes = model.accounts.reduce((sum, { stake }) => sum + stake, 0n);
          assert.is(BigInt(liabilities), stakes + model.earned);
          const penalties = JSON.parse(world.view("get_penalties", JSON.stringify({ account_id: accountId })));
          assert.equal(
            penalties.frozen.map((one: Record<string, unknown>) => [one.request_id, one.due_height, one.amount]),
            account.frozen.map((one) => [one.requestId, one.due, one.amount.toString()]),
          );
          assert.is(world.node(accountId)?.stakeYocto ?? 0n, account.stake);
        }
        for (const together of model.together.values()) assert.ok(together <= model.cap);
        assert.is(world.totalYocto(), total);
      },
    ),
    { numRuns: 60, seed: 20_261_125 },
  );
  assert.ok(taken > 5);
});

test.run();
