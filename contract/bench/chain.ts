/**
 * `npm run bench -- chain [--json] [--full]`: how fast the embedded chain runs contract calls, what the main methods
 * cost as the registry of nodes grows (10 and 1,000 nodes; 100,000 with `--full`, which takes minutes), and how large
 * the contract is. Speed is per second of CPU time, so that a busy machine does not count as a slow chain.
 */
import { claimLeaseArgs, initializeArgs, registerNodeArgs, requestExecutionArgs } from "../client/index.ts";
import { DevChain } from "../devchain/index.ts";
import {
  answerArgs,
  CHAIN_ID,
  expectOk,
  GITHUB,
  keyOf,
  LIMITS,
  NEAR,
  NODES,
  OUTLAYER,
  outlayerWasm,
  TGAS,
  World,
} from "../test/contract/world.ts";
import { Wallet } from "../test/devchain/fixtures/wallet.ts";

interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly goal: string;
  readonly ok: boolean;
}

const CALLS = 3_000;
/** What 500 calls a second come to in a block of 600 ms. */
const CALLS_PER_BLOCK = 300;
const VIEWS = 1_000;
const BLOCK_MS = 600;
/** Blocks after which every node may claim, however large the registry. */
const WIDENED_BLOCKS = 120;
const MEGABYTE = 1_000_000;

const caller = new Wallet("bench.test");

/** The contract tests' world with more nodes in it. */
class LargeWorld extends World {
  override readonly chain: DevChain;

  constructor(nodeIds: readonly string[]) {
    super();
    this.chain = new DevChain({
      chainId: CHAIN_ID,
      seed: "bench",
      genesisTimestampNs: 1_800_000_000_000_000_000n,
      blockIntervalMs: BLOCK_MS,
      accounts: [
        { accountId: OUTLAYER, balanceYocto: 10_000n * NEAR, code: outlayerWasm },
        caller.genesis(1_000_000n * NEAR),
        ...["owner.test", "alice.test", "bob.test", ...nodeIds].map((accountId) => ({
          accountId,
          balanceYocto: 100n * NEAR,
          publicKey: keyOf(accountId).text,
        })),
      ],
    });
  }

  static withNodes(count: number): LargeWorld {
    const nodeIds = Array.from({ length: count }, (_, index) => NODES[index] ?? `n${index}.test`);
    const world = new LargeWorld(nodeIds);
    const network = { chainId: CHAIN_ID, seatStakeYocto: NEAR, bootstrapBlocks: 1_000_000, replaySeats: 144 };
    expectOk(world.call("owner.test", "new", initializeArgs("owner.test", "owner.test", network)));
    for (const nodeId of nodeIds) {
      expectOk(world.call(nodeId, "register_node", registerNodeArgs(keyOf(nodeId).text), { depositYocto: NEAR }));
    }
    return world;
  }
}

const figures: Record<string, Figure> = {};

function atMost(name: string, value: number, unit: string, goal: number): void {
  const rounded = Math.round(value * 100) / 100;
  figures[name] = { value: rounded, unit, goal: `<= ${goal}`, ok: rounded <= goal };
}

function atLeast(name: string, value: number, unit: string, goal: number): void {
  const rounded = Math.round(value);
  figures[name] = { value: rounded, unit, goal: `>= ${goal}`, ok: rounded >= goal };
}

function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** A change call that reads the contract's state and answers in JSON; the module is warm. */
function measureSpeed(): void {
  const world = LargeWorld.withNodes(10);
  const { chain } = world;
  const sign = () => caller.call(chain, OUTLAYER, "get_stats");
  chain.submit(sign());
  world.settle();
  const signed = Array.from({ length: CALLS }, sign);
  const blockMs: number[] = [];
  let runMs = 0;
  for (let first = 0; first < CALLS; first += CALLS_PER_BLOCK) {
    for (const transaction of signed.slice(first, first + CALLS_PER_BLOCK)) chain.submit(transaction);
    runMs += cpuMs(() => {
      while (!chain.isIdle) {
        const startedAt = performance.now();
        chain.produceBlock();
        blockMs.push(performance.now() - startedAt);
      }
    });
  }
  atLeast("contractCallsPerSecond", (CALLS * 1000) / runMs, "calls/s", 500);
  atMost(`blockOf${CALLS_PER_BLOCK}CallsMaxMs`, Math.max(...blockMs), "ms", BLOCK_MS);
  const viewMs = cpuMs(() => {
    for (let i = 0; i < VIEWS; i++) world.view("get_stats");
  });
  atMost("viewMs", viewMs / VIEWS, "ms", 3);
}

function tgas(gas: number): number {
  return gas / TGAS;
}

/** One request through its life; `signers` attest, none if the registry is larger than what may attest. */
function measureLife(nodes: number, signers: number): void {
  const world = LargeWorld.withNodes(nodes);
  const request = requestExecutionArgs({ source: GITHUB, resource_limits: LIMITS, input_data: "input" });
  const asked = expectOk(world.call("alice.test", "request_execution", request, { depositYocto: NEAR }));
  world.advance(WIDENED_BLOCKS);
  const claim = claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 });
  const claimed = expectOk(world.call("n0.test", "claim_lease", claim));
  if (signers === 0) {
    atMost(`requestTgasAt${nodes}Nodes`, tgas(asked.gas), "Tgas", 3);
    atMost(`claimTgasAt${nodes}Nodes`, tgas(claimed.gas), "Tgas", 2);
    return;
  }
  const answer = answerArgs(world, { signers: NODES.slice(0, signers) });
  const resolved = expectOk(world.call("bob.test", "resolve_execution", answer));
  atMost(`resolveTgasWith${signers}Attestations`, tgas(resolved.gas), "Tgas", signers === 3 ? 4 : 10);
}

measureSpeed();
const sizes = process.argv.includes("--full") ? [10, 1_000, 100_000] : [10, 1_000];
for (const nodes of sizes) measureLife(nodes, 0);
measureLife(3, 3);
measureLife(18, 18);
atMost("contractKilobytes", (outlayerWasm.length * 1000) / MEGABYTE, "kB", 80);

if (!process.argv.includes("--json")) {
  for (const [name, { value, unit, goal, ok }] of Object.entries(figures)) {
    console.log(
      `${name.padEnd(32)} ${String(value).padStart(8)} ${unit.padEnd(8)} goal ${goal}  ${ok ? "ok" : "missed"}`,
    );
  }
}
console.log(JSON.stringify({ topic: "chain", figures }));
