/**
 * The node's configuration: one schema, four sources (flags > environment > file > defaults), and for every value
 * where it came from. An unknown key is an error, since a mistyped limit that silently keeps its default is worse
 * than a node that does not start.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { SANDBOX_MODES } from "./engine/sandbox.ts";
import { OperatingError } from "./errors.ts";

const multiaddrText = z
  .string()
  .regex(/^\/(ip4|ip6|dns4|dns6)\//, "must be a multiaddr such as /ip4/127.0.0.1/tcp/7100");
const accountIdText = z
  .string()
  .min(2)
  .max(64)
  .regex(/^[a-z0-9._-]+$/, "must be a NEAR account id");

export const configSchema = z.strictObject({
  /** The account that the node claims and resolves with; its stake stands in the contract. */
  accountId: accountIdText,
  contractId: accountIdText,
  /** NEAR JSON-RPC endpoints, tried in this order. */
  rpc: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .max(8),
  dataDirectory: z.string().min(1),
  /** File with the account's access key, as NEAR's own tools write it. */
  accountKeyFile: z.string().min(1),
  listen: z.array(multiaddrText).max(8).default(["/ip4/0.0.0.0/tcp/7100"]),
  bootstrap: z.array(multiaddrText).max(64).default([]),
  httpHost: z.string().default("127.0.0.1"),
  httpPort: z.coerce.number().int().min(0).max(65_535).default(3000),
  /** Bearer token for everything that changes something; without one a random token is written to the data directory. */
  httpToken: z.string().min(16).optional(),
  /** Stake in yoctoNEAR to register with when the account is not registered yet; without it the node only watches. */
  registerStakeYocto: z
    .string()
    .regex(/^\d{1,39}$/)
    .optional(),
  engineChildren: z.coerce.number().int().min(1).max(64).default(2),
  /** Wall-clock limit of one run: beyond it the node abstains, since real time must never be part of a result. */
  engineWallTimeMs: z.coerce.number().int().min(100).max(600_000).default(180_000),
  /** bubblewrap around the processes that run guests: where the machine allows it, always or not at all, or never. */
  engineSandbox: z.enum(SANDBOX_MODES).default("auto"),
  /** wasmtime's C library: with it, wasmtime audits a share of what V8 runs. */
  wasmtimeLib: z.string().min(1).optional(),
  /** Of a thousand runs, how many are audited. */
  auditPerMille: z.coerce.number().int().min(0).max(1_000).default(100),
  contentCapacityBytes: z.coerce
    .number()
    .int()
    .min(16 << 20)
    .default(1 << 30),
  /** How long one try to find code at other peers may take. */
  contentTimeoutMs: z.coerce.number().int().min(100).max(60_000).default(4_000),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
});

export type NodeConfig = z.infer<typeof configSchema>;
type ConfigKey = keyof NodeConfig;
export type ConfigSource = "flag" | "environment" | "file" | "default";

export interface LoadedConfig {
  readonly config: NodeConfig;
  readonly sources: Readonly<Record<string, ConfigSource>>;
}

const ENVIRONMENT_PREFIX = "OUTLAYER_";
const LIST_KEYS: ReadonlySet<string> = new Set(["rpc", "listen", "bootstrap"]);

/** `dataDirectory` → `OUTLAYER_DATA_DIRECTORY`. */
export function environmentName(key: string): string {
  return ENVIRONMENT_PREFIX + key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/**
 * @param flags values given on the command line; undefined ones are absent
 * @throws {OperatingError} `config_unreadable`, `config_invalid`
 */
export function loadConfig(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
  file: string | undefined,
): LoadedConfig {
  const keys = Object.keys(configSchema.shape) as ConfigKey[];
  const fromFile = file === undefined ? {} : readConfigFile(file);
  const values: Record<string, unknown> = { ...fromFile };
  const sources: Record<string, ConfigSource> = {};
  for (const key of Object.keys(fromFile)) sources[key] = "file";
  for (const key of keys) {
    const text = environment[environmentName(key)];
    if (text !== undefined) {
      values[key] = LIST_KEYS.has(key) ? text.split(",").filter(Boolean) : text;
      sources[key] = "environment";
    }
    if (flags[key] !== undefined) {
      values[key] = flags[key];
      sources[key] = "flag";
    }
    sources[key] ??= "default";
  }
  const parsed = configSchema.safeParse(values);
  if (!parsed.success) throw new OperatingError("config_invalid", { problems: problemsOf(parsed.error) });
  return { config: parsed.data, sources };
}

function readConfigFile(file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new OperatingError("config_unreadable", { file }, error);
  }
  throw new OperatingError("config_unreadable", { file, problem: "not a JSON object" });
}

function problemsOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join(".") || "(whole file)"}: ${issue.message}`).join("; ");
}
