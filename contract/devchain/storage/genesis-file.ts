/** Genesis as JSON: what `--genesis` reads and the first record of a chain's log. Amounts are decimal texts. */
import type { DevChainOptions, GenesisAccount } from "../chain/devchain-types.ts";

export class GenesisFileError extends Error {
  readonly code: "MALFORMED_GENESIS";
  constructor(message: string) {
    super(message);
    this.name = "GenesisFileError";
    this.code = "MALFORMED_GENESIS";
  }
}

/** Of what follows in the log. */
const LOG_VERSION = 2;
const MAX_GENESIS_ACCOUNTS = 100_000;

function field<T>(object: Record<string, unknown>, name: string, check: (value: unknown) => value is T): T {
  const value = object[name];
  if (!check(value)) throw new GenesisFileError(`genesis: missing or malformed field \`${name}\``);
  return value;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isDecimal = (value: unknown): value is string => isText(value) && /^\d{1,39}$/.test(value);
const isOptionalDecimal = (value: unknown): value is string | undefined => value === undefined || isDecimal(value);
const isOptionalText = (value: unknown): value is string | undefined => value === undefined || isText(value);
const isOptionalFlag = (value: unknown): value is boolean | undefined =>
  value === undefined || typeof value === "boolean";
const isOptionalNumber = (value: unknown): value is number | undefined => value === undefined || isNumber(value);
const isList = (value: unknown): value is unknown[] => Array.isArray(value) && value.length <= MAX_GENESIS_ACCOUNTS;

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new GenesisFileError("genesis: an object was expected");
  }
  return value as Record<string, unknown>;
}

function readAccount(value: unknown): GenesisAccount {
  const object = asObject(value);
  const publicKey = field(object, "publicKey", isOptionalText);
  const codeBase64 = field(object, "codeBase64", isOptionalText);
  return {
    accountId: field(object, "accountId", isText),
    balanceYocto: BigInt(field(object, "balanceYocto", isDecimal)),
    ...(publicKey === undefined ? {} : { publicKey }),
    ...(codeBase64 === undefined ? {} : { code: new Uint8Array(Buffer.from(codeBase64, "base64")) }),
  };
}

/** `[{accountId, balanceYocto, publicKey?, codeBase64?}]` @throws GenesisFileError */
export function readGenesisAccounts(value: unknown): GenesisAccount[] {
  if (!isList(value)) throw new GenesisFileError("genesis: a list of accounts was expected");
  return value.map(readAccount);
}

export function genesisToJson(options: DevChainOptions): string {
  return JSON.stringify({
    logVersion: LOG_VERSION,
    chainId: options.chainId,
    seed: options.seed,
    genesisTimestampNs: options.genesisTimestampNs.toString(),
    blockIntervalMs: options.blockIntervalMs,
    finalityLagBlocks: options.finalityLagBlocks,
    historyBlocks: options.historyBlocks,
    epochBlocks: options.epochBlocks,
    minimumStakeYocto: options.minimumStakeYocto?.toString(),
    trieNodes: options.trieNodes,
    accounts: options.accounts.map(({ accountId, balanceYocto, publicKey, code }) => ({
      accountId,
      balanceYocto: balanceYocto.toString(),
      publicKey,
      codeBase64: code && Buffer.from(code).toString("base64"),
    })),
  });
}

/** @throws GenesisFileError */
export function genesisFromJson(text: string): DevChainOptions {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new GenesisFileError("genesis: not JSON");
  }
  const object = asObject(parsed);
  if (object.logVersion !== LOG_VERSION) {
    throw new GenesisFileError("genesis: the log is of another version of the chain; begin with an empty directory");
  }
  const finalityLagBlocks = field(object, "finalityLagBlocks", isOptionalNumber);
  const historyBlocks = field(object, "historyBlocks", isOptionalNumber);
  const epochBlocks = field(object, "epochBlocks", isOptionalNumber);
  const trieNodes = field(object, "trieNodes", isOptionalFlag);
  const minimumStake = field(object, "minimumStakeYocto", isOptionalDecimal);
  return {
    chainId: field(object, "chainId", isText),
    seed: field(object, "seed", isText),
    genesisTimestampNs: BigInt(field(object, "genesisTimestampNs", isDecimal)),
    blockIntervalMs: field(object, "blockIntervalMs", isNumber),
    ...(finalityLagBlocks === undefined ? {} : { finalityLagBlocks }),
    ...(historyBlocks === undefined ? {} : { historyBlocks }),
    ...(epochBlocks === undefined ? {} : { epochBlocks }),
    ...(trieNodes === undefined ? {} : { trieNodes }),
    ...(minimumStake === undefined ? {} : { minimumStakeYocto: BigInt(minimumStake) }),
    accounts: readGenesisAccounts(object.accounts),
  };
}
