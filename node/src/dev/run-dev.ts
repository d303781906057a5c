/**
 * `outlayer-node dev`, which is also `npm start`: the whole network on one machine, one real request through it, and
 * then a page to watch until Ctrl-C. What people read goes to standard error; standard output carries the receipt.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { FUSED_MAX_INSTRUCTIONS } from "@outlayer/protocol/lease/claiming";
import { z } from "zod";
import { isOperatingError, OperatingError } from "../errors.ts";
import type { ProgressJson } from "../http/status.ts";
import { DevNetwork, type DevNode } from "./network.ts";
import { type DevReceipt, requestOnce } from "./request.ts";

type Style = Parameters<typeof styleText>[0];

/** Colours belong to the stream they are written to: a log in a file has none, whatever the other stream is. */
const onStderr = (style: Style, text: string) => styleText(style, text, { stream: process.stderr });
const onStdout = (style: Style, text: string) => styleText(style, text, { stream: process.stdout });

const EXIT_INTERRUPTED = 130;
/** When a node was killed so late that its answer was already on its way, the next request shows the takeover. */
const KILL_TRIES = 3;

const LONG_RUN_INSTRUCTIONS = Number(FUSED_MAX_INSTRUCTIONS) + 1;

const flagsSchema = z.object({
  once: z.boolean().default(false),
  json: z.boolean().default(false),
  request: z.string().min(1),
  input: z.string().optional(),
  format: z.enum(["Json", "Text", "Bytes"]),
  killHolder: z.boolean().default(false),
  hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits")
    .optional(),
  nodes: z.coerce.number().int().min(1).max(16),
  blockIntervalMs: z.coerce.number().int().min(50).max(10_000),
  challengeBlocks: z.coerce.number().int().min(0).max(100),
  httpPort: z.coerce.number().int().min(0).max(65_535),
  faults: z.string().min(2).max(1_000).optional(),
  maxInstructions: z.coerce.number().int().min(1).max(500_000_000_000),
  verbose: z.boolean().default(false),
});
type Flags = z.infer<typeof flagsSchema>;

/** Returns the exit code: 0 for a resolved request, 1 for one that failed or could not be made. */
export async function runDev(rawFlags: unknown): Promise<number> {
  const parsed = flagsSchema.safeParse(rawFlags);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `--${issue.path.join(".")}: ${issue.message}`).join("; ");
    throw new OperatingError("config_invalid", { problems });
  }
  const flags = parsed.data;
  const startedAt = performance.now();
  const say = (text: string) => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
    console.error(`${onStderr("dim", `${seconds} s`)}  ${text}`);
  };
  const directory = await mkdtemp(join(tmpdir(), "outlayer-dev-"));
  const { nodes, blockIntervalMs, challengeBlocks, httpPort, faults, verbose } = flags;
  const network = new DevNetwork({
    directory,
    nodes,
    blockIntervalMs,
    challengeBlocks,
    httpPort,
    faults,
    verbose,
    say,
  });
  const interrupted = onInterrupt(network, directory, say);
  try {
    await network.start();
    const receipt = await requestWithRetries(network, flags, say);
    showReceipt(receipt, flags.json);
    if (!flags.once) await stayUp(network, interrupted, say);
    return receipt.status === "resolved" ? 0 : 1;
  } catch (error) {
    if (interrupted.aborted) return EXIT_INTERRUPTED;
    throw error;
  } finally {
    await network.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function requestWithRetries(network: DevNetwork, flags: Flags, say: (text: string) => void): Promise<DevReceipt> {
  const { request: guest, input, format, killHolder, hash } = flags;
  // A short run is claimed and answered in one transaction, which leaves no middle to kill anybody in.
  const maxInstructions = killHolder ? Math.max(flags.maxInstructions, LONG_RUN_INSTRUCTIONS) : flags.maxInstructions;
  for (let tries = 1; ; tries++) {
    try {
      return await requestOnce(network, { guest, input, format, maxInstructions, killHolder, hash }, showProgress(say));
    } catch (error) {
      const late = isOperatingError(error, "dev_request_failed") && error.context.killed !== undefined;
      if (!late || tries === KILL_TRIES || network.nodes.filter((node) => node.child.running).length < 3) throw error;
      say("the killed node's answer was already on its way: asking again");
    }
  }
}

/** Every stage once, by whichever node says it first; the stages of replayers by each of them. */
function showProgress(say: (text: string) => void): (node: DevNode, progress: ProgressJson) => void {
  const shown = new Set<string>();
  const colours: Partial<Record<ProgressJson["stage"], Style>> = {
    leased: "yellow",
    resolved: "green",
    disagreement: "red",
    abandoned: "red",
  };
  const shared: ReadonlySet<ProgressJson["stage"]> = new Set(["seen", "leased", "resolved", "closed"]);
  return (node, { request_id: requestId, stage, detail }) => {
    const key = `${requestId}/${stage}/${shared.has(stage) ? detail : node.accountId}/${detail}`;
    if (shown.has(key)) return;
    shown.add(key);
    const what = onStderr(colours[stage] ?? "reset", stage.padEnd(12));
    const who = onStderr("cyan", (shared.has(stage) ? "" : node.accountId).padEnd(10));
    say(`request ${requestId}  ${what} ${who} ${onStderr("dim", detail)}`);
  };
}

function showReceipt(receipt: DevReceipt, asJson: boolean): void {
  if (asJson) {
    console.log(JSON.stringify(receipt));
    return;
  }
  const { status, output, error, fuel, holder, lease_epoch, attestations, blocks, code_cid } = receipt;
  const rows: [string, string][] = [
    ["request", String(receipt.request_id)],
    ["status", onStdout(status === "resolved" ? "green" : "red", status)],
    status === "resolved" ? ["output", JSON.stringify(output)] : ["error", error ?? ""],
    ["caller got", JSON.stringify(receipt.caller_answer)],
    ["fuel", fuel],
    ["code", code_cid ?? "none"],
    ["holder", `${holder}, lease epoch ${lease_epoch}`],
    ["attested by", attestations.map(({ node }) => node).join(", ")],
    ["blocks", `requested ${blocks.requested}, leased ${blocks.leased}, resolved ${blocks.resolved}`],
    ["transactions", receipt.transactions.join(" ")],
  ];
  console.log(`\n${rows.map(([name, value]) => `  ${onStdout("bold", name.padEnd(13))} ${value}`).join("\n")}\n`);
}

async function stayUp(network: DevNetwork, interrupted: AbortSignal, say: (text: string) => void): Promise<void> {
  const page = network.nodes.find((node) => node.child.running)?.httpUrl;
  const { httpPort } = network.options;
  if (page && httpPort !== 0 && Number(new URL(page).port) !== httpPort) {
    say(`port ${httpPort} is not to be had, so the page is at another one`);
  }
  say(`watch it live at ${onStderr(["bold", "underline"], page ?? "")}; Ctrl-C stops everything`);
  if (interrupted.aborted) return;
  await new Promise<void>((resolve) => interrupted.addEventListener("abort", () => resolve(), { once: true }));
}

/** The first Ctrl-C stops everything in order, the second one at once. */
function onInterrupt(network: DevNetwork, directory: string, say: (text: string) => void): AbortSignal {
  const controller = new AbortController();
  const handle = () => {
    if (controller.signal.aborted) {
      network.kill();
      void rm(directory, { recursive: true, force: true }).finally(() => process.exit(EXIT_INTERRUPTED));
      return;
    }
    say("stopping; Ctrl-C again stops at once");
    controller.abort();
    // Whatever is under way fails at its next step, and the end of runDev waits for the same stop.
    void network.stop();
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return controller.signal;
}
