/**
 * The network that `outlayer-node dev` runs: an embedded NEAR chain with funded accounts, the contract on it, nodes
 * that register themselves with stake, and a contract that calls OutLayer. Every part is a process or an account of
 * its own, and everything between them goes over the same wires as on a real network.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Account, JsonRpcProvider, KeyPair, KeyPairSigner, type KeyPairString } from "near-api-js";
import { z } from "zod";
import { OperatingError } from "../errors.ts";
import { PACKAGE_ROOT } from "../package-root.ts";
import { Child } from "./children.ts";

const YOCTO_PER_NEAR = 10n ** 24n;
const STAKE_YOCTO = 100n * YOCTO_PER_NEAR;
const SEAT_STAKE_YOCTO = 100n * YOCTO_PER_NEAR;
const CHAIN_ID = "outlayer-dev";
const SETTLE_TIMEOUT_MS = 60_000;
const FULL_MESH_TIMEOUT_MS = 10_000;

export const CONTRACT_ID = "outlayer.dev";
export const CALLER_ID = "caller.dev";
export const USER_ID = "alice.dev";

const chainReady = z.object({ url: z.string() });
const nodeReady = z.object({
  kind: z.literal("started"),
  httpUrl: z.string(),
  httpToken: z.string(),
  publicKey: z.string(),
  addresses: z.array(z.string()).min(1),
});

export interface DevOptions {
  readonly directory: string;
  readonly nodes: number;
  readonly blockIntervalMs: number;
  /** Blocks that an answer waits for objections. */
  readonly challengeBlocks: number;
  readonly httpPort: number;
  /** What the chain's endpoint does to its clients, as `outlayer-node chain --faults` takes it. */
  readonly faults?: string | undefined;
  readonly verbose: boolean;
  readonly say: (text: string) => void;
}

export interface DevNode {
  readonly accountId: string;
  readonly child: Child;
  readonly httpUrl: string;
  readonly httpToken: string;
}

export class DevNetwork {
  readonly options: DevOptions;
  readonly nodes: DevNode[] = [];
  chainUrl = "";
  provider: JsonRpcProvider = new JsonRpcProvider({ url: "http://127.0.0.1:1" });
  #chain: Child | undefined;
  #stopping = false;
  readonly #children: Child[] = [];
  readonly #keys = new Map<string, string>();

  constructor(options: DevOptions) {
    this.options = options;
  }

  async start(): Promise<void> {
    const { say, nodes } = this.options;
    await this.#startChain();
    say(`embedded NEAR chain at ${this.chainUrl}, a block every ${this.options.blockIntervalMs} ms`);
    await this.#deploy();
    say(`contract ${CONTRACT_ID} and calling contract ${CALLER_ID} deployed`);
    const first = await this.#startNode(1, []);
    const bootstrap = first.addresses;
    const rest = Array.from({ length: nodes - 1 }, (_, i) => this.#startNode(i + 2, bootstrap));
    await Promise.all(rest);
    this.nodes.sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
    await this.#settle();
    say(`${nodes} nodes registered and connected`);
  }

  /** Ends everything that was started, the nodes first. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#children.filter((child) => child !== this.#chain).map((child) => child.stop()));
    await this.#chain?.stop();
  }

  /** Ends everything at once. */
  kill(): void {
    this.#stopping = true;
    for (const child of this.#children) child.kill();
  }

  get chainPid(): number | undefined {
    return this.#chain?.pid;
  }

  account(accountId: string): Account {
    const secret = this.#keys.get(accountId);
    if (!secret) throw new OperatingError("dev_process_failed", { name: accountId, said: "no such account" });
    return new Account(accountId, this.provider, KeyPairSigner.fromSecretKey(secret as KeyPairString));
  }

  async #startChain(): Promise<void> {
    const { directory, nodes } = this.options;
    const accountIds = [CONTRACT_ID, CALLER_ID, USER_ID, ...Array.from({ length: nodes }, (_, i) => nodeName(i + 1))];
    const accounts = accountIds.map((accountId) => {
      const pair = KeyPair.fromRandom("ed25519");
      this.#keys.set(accountId, pair.toString());
      return {
        accountId,
        balanceYocto: (10_000n * YOCTO_PER_NEAR).toString(),
        publicKey: pair.getPublicKey().toString(),
      };
    });
    const genesis = join(directory, "genesis.json");
    // A seed of its own, or every development network would draw the same lots.
    await writeFile(genesis, JSON.stringify({ accounts, seed: randomUUID() }));
    await this.#runChain(["--genesis", genesis, "--port", "0"]);
  }

  async #runChain(where: readonly string[]): Promise<void> {
    const { directory, blockIntervalMs, faults, verbose, say } = this.options;
    const child = this.#spawn({
      name: "chain",
      module: join(PACKAGE_ROOT, "dist", "devchain.mjs"),
      args: [
        ...["--data-dir", join(directory, "chain"), "--chain-id", CHAIN_ID, ...where],
        ...["--block-interval-ms", String(blockIntervalMs)],
        ...(faults === undefined ? [] : ["--faults", faults]),
      ],
      logFile: join(directory, "chain.log"),
      verbose,
    });
    this.#chain = child;
    const { url } = await child.ready((message) => chainReady.parse(message));
    this.chainUrl = url;
    this.provider = new JsonRpcProvider({ url });
    void child.ended.then(async () => {
      if (this.#stopping) return;
      say("the chain's process ended: starting it again from its log");
      const again = ["--genesis", join(directory, "genesis.json"), "--port", new URL(url).port];
      await this.#runChain(again).catch((error: unknown) => say(`the chain does not start again: ${String(error)}`));
    });
  }

  #spawn(options: ConstructorParameters<typeof Child>[0]): Child {
    if (this.#stopping)
      throw new OperatingError("dev_process_failed", { name: options.name, said: "the network is stopping" });
    const child = new Child(options);
    this.#children.push(child);
    return child;
  }

  async #deploy(): Promise<void> {
    const wasm = async (name: string) =>
      new Uint8Array(await readFile(join(PACKAGE_ROOT, "dist", "assets", `${name}.wasm`)));
    const outlayer = this.account(CONTRACT_ID);
    const caller = this.account(CALLER_ID);
    await Promise.all([outlayer.deployContract(await wasm("outlayer")), caller.deployContract(await wasm("caller"))]);
    const { nodes, challengeBlocks } = this.options;
    const network = {
      chain_id: CHAIN_ID,
      seat_stake: SEAT_STAKE_YOCTO.toString(),
      // Nodes count from the block in which they register: nobody on this chain has anything to grind for.
      bootstrap_blocks: 1_000_000,
      lease_blocks: 10,
      replay_seats: 9,
      replicas: Math.min(3, nodes),
      quorum: Math.min(2, nodes),
      challenge_blocks: challengeBlocks,
    };
    await Promise.all([
      outlayer.callFunction({
        contractId: CONTRACT_ID,
        methodName: "new",
        args: { owner_id: CONTRACT_ID, operator_id: CONTRACT_ID, network },
      }),
      caller.callFunction({ contractId: CALLER_ID, methodName: "new", args: { outlayer_id: CONTRACT_ID } }),
    ]);
  }

  async #startNode(index: number, bootstrap: readonly string[]): Promise<{ addresses: readonly string[] }> {
    const { directory, httpPort, verbose } = this.options;
    const accountId = nodeName(index);
    const home = join(directory, accountId);
    await mkdir(home, { recursive: true, mode: 0o700 });
    const keyFile = join(home, "account-key.json");
    await writeFile(keyFile, JSON.stringify({ account_id: accountId, private_key: this.#keys.get(accountId) }), {
      mode: 0o600,
    });
    const config = {
      accountId,
      contractId: CONTRACT_ID,
      rpc: [this.chainUrl],
      dataDirectory: join(home, "data"),
      accountKeyFile: keyFile,
      listen: ["/ip4/127.0.0.1/tcp/0"],
      bootstrap,
      httpPort: index === 1 ? httpPort : 0,
      registerStakeYocto: STAKE_YOCTO.toString(),
      engineChildren: 1,
      contentTimeoutMs: 2_000,
    };
    const configFile = join(home, "config.json");
    await writeFile(configFile, JSON.stringify(config));
    const child = this.#spawn({
      name: accountId,
      module: join(PACKAGE_ROOT, "bin", "outlayer-node.mjs"),
      args: ["start", "--config", configFile],
      logFile: join(directory, `${accountId}.log`),
      verbose,
    });
    const ready = await child.ready((message) => nodeReady.parse(message));
    this.nodes.push({ accountId, child, httpUrl: ready.httpUrl, httpToken: ready.httpToken });
    return { addresses: ready.addresses };
  }

  /** Waits until all are registered and, for a while, until all are connected; a node with one peer can do without. */
  async #settle(): Promise<void> {
    const { nodes, say } = this.options;
    const startedAt = Date.now();
    for (;;) {
      const views = await Promise.all(this.nodes.map((node) => readStatus(node)));
      const connected = (least: number) => views.every((view) => view.peers.length >= Math.min(least, nodes - 1));
      const registered = views.every((view) => view.worker.nodes.length === nodes);
      if (registered && connected(nodes - 1)) return;
      const seen = views
        .map((view) => `${view.worker.nodes.length} registered, ${view.peers.length} connected`)
        .join("; ");
      if (registered && connected(1) && Date.now() > startedAt + FULL_MESH_TIMEOUT_MS) {
        say(`not every node is connected to every other one yet: ${seen}`);
        return;
      }
      if (Date.now() > startedAt + SETTLE_TIMEOUT_MS) {
        throw new OperatingError("dev_process_failed", { name: "network", said: `the nodes do not meet: ${seen}` });
      }
      await sleep(200);
    }
  }
}

const statusAnswer = z.object({ worker: z.object({ nodes: z.array(z.unknown()) }), peers: z.array(z.unknown()) });

async function readStatus(node: DevNode): Promise<z.infer<typeof statusAnswer>> {
  const answer = await fetch(new URL("/api/v1/status", node.httpUrl));
  return statusAnswer.parse(await answer.json());
}

function nodeName(index: number): string {
  return `node-${index}.dev`;
}
