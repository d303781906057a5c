/** Typed, bounded reading of JSON-RPC parameters. Everything here is hostile. */

import { MAX_BALANCE_YOCTO } from "../chain/balance.ts";
import { type BlockReference, type Finality, GENESIS_HEIGHT } from "../chain/devchain-types.ts";
import { isAccountId } from "../codec/account-id.ts";
import { type Hash, parseHash, toHash } from "../codec/hash.ts";
import { parsePublicKey } from "../codec/public-key.ts";
import { parseError } from "./rpc-error.ts";

/** Accounts or keys in one request for changes. */
const MAX_LIST_ITEMS = 100;
/** With its length a multiple of 4. A repeated group would put every four characters on the engine's stack. */
const BASE64 = /^[A-Za-z\d+/]*={0,2}$/;
const FINALITIES: readonly string[] = ["optimistic", "near-final", "final"] satisfies Finality[];

export class Params {
  readonly #fields: Readonly<Record<string, unknown>>;

  private constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields;
  }

  /** Named parameters, or a list of them in the order of `positional`. */
  static parse(params: unknown, positional: readonly string[] = []): Params {
    if (params === undefined || params === null) return new Params({});
    if (Array.isArray(params)) {
      if (params.length > positional.length) throw parseError(`at most ${positional.length} parameters are taken`);
      return new Params(Object.fromEntries(params.map((value, index) => [positional[index]!, value])));
    }
    if (typeof params !== "object") throw parseError("params must be an object or a list");
    return new Params(params as Record<string, unknown>);
  }

  has(name: string): boolean {
    const value = this.#get(name);
    return value !== undefined && value !== null;
  }

  text(name: string): string {
    const value = this.#get(name);
    if (typeof value !== "string") throw parseError(`missing or malformed field \`${name}\``);
    return value;
  }

  integer(name: string): number {
    const value = this.#get(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
      throw parseError(`missing or malformed field \`${name}\``);
    }
    return value;
  }

  isText(name: string): boolean {
    return typeof this.#get(name) === "string";
  }

  /** A u128 as a decimal text. */
  amount(name: string): bigint {
    const value = this.text(name);
    if (!/^\d{1,39}$/.test(value)) throw parseError(`\`${name}\` is not an amount`);
    const amount = BigInt(value);
    if (amount > MAX_BALANCE_YOCTO) throw parseError(`\`${name}\` is above ${MAX_BALANCE_YOCTO}, the most of a u128`);
    return amount;
  }

  object(name: string): Params {
    const value = this.#get(name);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw parseError(`missing or malformed field \`${name}\``);
    }
    return new Params(value as Record<string, unknown>);
  }

  objects(name: string): Params[] {
    return this.#list(name).map((item) => Params.parse(item));
  }

  texts(name: string): string[] {
    return this.#list(name).map((item) => {
      if (typeof item !== "string") throw parseError(`\`${name}\` is not a list of texts`);
      return item;
    });
  }

  flag(name: string): boolean {
    const value = this.#get(name);
    if (value !== undefined && value !== null && typeof value !== "boolean") {
      throw parseError(`missing or malformed field \`${name}\``);
    }
    return value === true;
  }

  /** A whole number above 0, or undefined where there is none. */
  limit(name: string): number | undefined {
    if (!this.has(name)) return undefined;
    const value = this.integer(name);
    if (value === 0 || value >= 2 ** 32) throw parseError(`\`${name}\` is not a limit`);
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[], otherwise?: T): T {
    if (!this.has(name) && otherwise !== undefined) return otherwise;
    const value = this.text(name);
    const match = allowed.find((candidate) => candidate === value);
    if (match === undefined) throw parseError(`unknown variant \`${value.slice(0, 64)}\` of \`${name}\``);
    return match;
  }

  accountId(name: string): string {
    const value = this.text(name);
    if (!isAccountId(value)) throw parseError(`\`${name}\` is not an account id`);
    return value;
  }

  accountIds(name: string): string[] {
    return this.#list(name).map((item) => {
      if (typeof item !== "string" || !isAccountId(item)) throw parseError(`\`${name}\` is not a list of account ids`);
      return item;
    });
  }

  publicKey(name: string): string {
    const key = parsePublicKey(this.text(name));
    if (key === undefined) throw parseError(`\`${name}\` is not a public key`);
    return key;
  }

  /** `[{account_id, public_key}]` */
  accessKeys(name: string): { accountId: string; publicKey: string }[] {
    return this.#list(name).map((item) => {
      const key = Params.parse(item);
      return { accountId: key.accountId("account_id"), publicKey: key.publicKey("public_key") };
    });
  }

  hash(name: string): Hash {
    const bytes = parseHash(this.text(name));
    if (bytes === undefined) throw parseError(`\`${name}\` is not a hash`);
    return toHash(bytes);
  }

  base64(name: string): Uint8Array {
    const value = this.text(name);
    if (value.length % 4 !== 0 || !BASE64.test(value)) throw parseError(`\`${name}\` is not base64`);
    return new Uint8Array(Buffer.from(value, "base64"));
  }

  /** `block_id` (height or hash) or `finality`. */
  blockReference(): BlockReference {
    if (this.has("block_id") && this.has("finality")) throw parseError("either `block_id` or `finality`, not both");
    if (this.has("block_id")) return this.blockId("block_id");
    if (this.has("sync_checkpoint")) {
      const checkpoint = this.oneOf("sync_checkpoint", ["genesis", "earliest_available"]);
      return checkpoint === "genesis" ? GENESIS_HEIGHT : "earliest";
    }
    const finality = this.text("finality");
    if (!FINALITIES.includes(finality)) throw parseError(`unknown finality \`${finality.slice(0, 64)}\``);
    return finality as Finality;
  }

  blockId(name: string): number | Hash {
    return typeof this.#get(name) === "number" ? this.integer(name) : this.hash(name);
  }

  #get(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  #list(name: string): unknown[] {
    const value = this.#get(name);
    if (!Array.isArray(value)) throw parseError(`missing or malformed field \`${name}\``);
    if (value.length > MAX_LIST_ITEMS) throw parseError(`\`${name}\` has more than ${MAX_LIST_ITEMS} items`);
    return value;
  }
}
