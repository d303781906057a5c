/**
 * Asks the oracle and writes `contract/test/devchain/fixtures/oracle/<set>.json`, which `npm test` compares the
 * embedded chain with: `node contract/conformance/devchain-oracle.ts --write-fixtures [contracts modules host-calls]`.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ed25519 } from "@noble/curves/ed25519.js";
import { nodeKeyDigest } from "@outlayer/protocol/wire/registration";
import { buildContract } from "../../build.ts";
import { claimLeaseArgs, initializeArgs, registerNodeArgs, requestExecutionArgs } from "../../client/index.ts";
import { encodeBase58 } from "../codec/base58.ts";
import { generateHostScenario } from "./host-call-generator.ts";
import { generateModuleScenario } from "./module-generator.ts";
import { Random } from "./random.ts";
import { askOracle, buildOracle } from "./run-oracle.ts";
import { compareAnswers, type OracleCall, type OracleScenario } from "./scenario.ts";

const HOUR_MS = 3_600_000;
const root = join(import.meta.dirname, "../../..");
const directory = join(root, "contract/test/devchain/fixtures/oracle");
const NEAR = 10n ** 24n;

const text = (value: string) => Buffer.from(value).toString("base64");

/** What node `index` registers with: a key of its own, and its signature for the account. */
function registration(index: number): string {
  const secret = createHash("sha256").update(`fixture node ${index}`).digest();
  const owner = { chainId: "test", contractId: "contract.test", accountId: `n${index}.test` };
  const publicKey = `ed25519:${encodeBase58(ed25519.getPublicKey(secret))}`;
  return registerNodeArgs(publicKey, ed25519.sign(nodeKeyDigest(owner), secret));
}

function outlayerCalls(): OracleCall[] {
  const call = (method: string, args = "{}", more: Partial<OracleCall> = {}): OracleCall => ({
    method,
    args: text(args),
    ...more,
  });
  const network = { seatStakeYocto: NEAR, chainId: "test", bootstrapBlocks: 1_000 };
  const request = requestExecutionArgs({
    source: { GitHub: { repo: "https://github.com/near/guest", commit: "main" } },
    resource_limits: { max_instructions: 1_000_000_000, max_memory_mb: 64, max_execution_seconds: 10 },
    input_data: "input",
  });
  const deposit = NEAR.toString();
  const register = (index: number) =>
    call("register_node", registration(index), { predecessor: `n${index}.test`, deposit });
  const claim = claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 });
  return [
    call("get_stats", "{}", { view: true }),
    call("new", initializeArgs("owner.test", "operator.test", network)),
    call("new", initializeArgs("owner.test", "operator.test", network)),
    ...[0, 1, 2].map(register),
    register(0),
    call("request_execution", request, { blockHeight: 200, deposit }),
    call("request_execution", request, { blockHeight: 200, deposit: "1" }),
    call("request_execution", request, { blockHeight: 200, deposit, gas: 2_000_000_000_000 }),
    call("request_execution", "not json", { blockHeight: 200, deposit }),
    ...["get_stats", "get_network", "get_pricing", "get_config", "get_max_limits"].map((method) =>
      call(method, "{}", { view: true }),
    ),
    call("get_request", '{"request_id":0}', { view: true }),
    call("get_nodes", '{"from_index":0,"limit":10}', { view: true }),
    call("claim_lease", claim, { predecessor: "nobody.test", blockHeight: 240 }),
    call("claim_lease", claim, { predecessor: "n0.test", blockHeight: 240 }),
    call("claim_lease", claim, { predecessor: "n1.test", blockHeight: 241 }),
    call("get_lease", '{"request_id":0}', { view: true }),
    call("on_execution_response", '{"request_id":0}', { predecessor: "contract.test", promiseResults: [null] }),
    call("no_such_method"),
  ];
}

function callerCalls(): OracleCall[] {
  const args = text(JSON.stringify({ outlayer_id: "outlayer.test" }));
  return [{ method: "new" }, { method: "new", args }, { method: "new", args }, { method: "no_such_method" }];
}

const SETS: Readonly<Record<string, () => Promise<OracleScenario[]> | OracleScenario[]>> = {
  contracts: async () => {
    await buildContract();
    const wasm = (name: string) => readFileSync(join(root, "contract/dist", name)).toString("base64");
    return [
      { wasm: wasm("outlayer.wasm"), calls: outlayerCalls() },
      { wasm: wasm("caller.wasm"), calls: callerCalls() },
    ];
  },
  modules: () => {
    const random = new Random(88n);
    return Array.from({ length: 40 }, () => generateModuleScenario(random));
  },
  "host-calls": () => {
    const random = new Random(88n);
    return Array.from({ length: 70 }, () => generateHostScenario(random));
  },
};

/** @throws RangeError for a set that is not there; OracleError */
export async function writeFixtures(chosen: readonly string[]): Promise<void> {
  const unknown = chosen.filter((name) => !Object.hasOwn(SETS, name));
  if (unknown.length > 0) throw new RangeError(`no such set: ${unknown.join(", ")}; there are ${Object.keys(SETS)}`);
  const program = await buildOracle(HOUR_MS);
  mkdirSync(directory, { recursive: true });
  for (const name of chosen.length > 0 ? chosen : Object.keys(SETS)) await writeSet(program, name);
}

async function writeSet(program: string, name: string): Promise<void> {
  const scenarios = await SETS[name]!();
  const lines = await askOracle(program, scenarios, HOUR_MS);
  let first = 0;
  let differences = 0;
  const rows = scenarios.map((scenario) => {
    const answers = lines.slice(first, first + scenario.calls.length);
    first += scenario.calls.length;
    differences += compareAnswers(scenario, answers).length;
    return JSON.stringify({ ...scenario, answers: answers.map((line) => JSON.parse(line) as object) });
  });
  const command = `node contract/conformance/devchain-oracle.ts --write-fixtures ${name}`;
  const head = `{"command":${JSON.stringify(command)},"oracle":"near-vm-runner 0.38.0","scenarios":[`;
  writeFileSync(join(directory, `${name}.json`), `${head}\n${rows.join(",\n")}\n]}\n`);
  console.log(`${name}: ${lines.length} calls, ${differences} of them different on the embedded chain`);
}
