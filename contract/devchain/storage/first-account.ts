/**
 * The account of a chain that was given none: `test.near`, as near-sandbox has it, with its key in a file that only its
 * owner can read, in the form of near-cli's credentials.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ed25519 } from "@noble/curves/ed25519.js";
import type { GenesisAccount } from "../chain/devchain-types.ts";
import { decodeBase58, encodeBase58 } from "../codec/base58.ts";
import { GenesisFileError } from "./genesis-file.ts";

export const FIRST_ACCOUNT_ID = "test.near";
/** A million NEAR: more than anything on a chain for development costs. */
const BALANCE_YOCTO = 10n ** 30n;
const KEY_FILE = `${FIRST_ACCOUNT_ID}.json`;
const SECRET_BYTES = 32;
const PREFIX = "ed25519:";

export interface KeyFile {
  readonly path: string;
  remove(): void;
}

export class FirstAccount {
  readonly #secret: Uint8Array;
  readonly #publicKey: Uint8Array;

  private constructor(secret: Uint8Array) {
    this.#secret = secret;
    this.#publicKey = ed25519.getPublicKey(secret);
  }

  static random(): FirstAccount {
    return new FirstAccount(new Uint8Array(randomBytes(SECRET_BYTES)));
  }

  /** Equal seeds, equal keys: whoever knows the seed has the account. */
  static fromSeed(seed: string): FirstAccount {
    return new FirstAccount(new Uint8Array(createHash("sha256").update(`devchain first account ${seed}`).digest()));
  }

  /** Undefined where there is no such file. @throws GenesisFileError when it is none that `save` wrote */
  static read(directory: string): FirstAccount | undefined {
    const path = join(directory, KEY_FILE);
    if (!existsSync(path)) return undefined;
    const malformed = () => new GenesisFileError(`${path} is not the key file of ${FIRST_ACCOUNT_ID}`);
    let content: unknown;
    try {
      content = JSON.parse(readFileSync(path, "utf8"));
    } catch (error) {
      if (error instanceof SyntaxError) throw malformed();
      throw error;
    }
    const { account_id, private_key } = (content ?? {}) as Record<string, unknown>;
    if (account_id !== FIRST_ACCOUNT_ID || typeof private_key !== "string") throw malformed();
    const both = decodeBase58(private_key.slice(PREFIX.length), 2 * SECRET_BYTES);
    if (!private_key.startsWith(PREFIX) || both === undefined) throw malformed();
    return new FirstAccount(both.slice(0, SECRET_BYTES));
  }

  get publicKey(): string {
    return PREFIX + encodeBase58(this.#publicKey);
  }

  get genesis(): GenesisAccount {
    return { accountId: FIRST_ACCOUNT_ID, balanceYocto: BALANCE_YOCTO, publicKey: this.publicKey };
  }

  /** Where the key is when the chain has this directory: it stays there. */
  fileIn(directory: string): KeyFile {
    return { path: resolve(directory, KEY_FILE), remove: () => {} };
  }

  /** Writes the key file, in a directory of its own where none is given, which `remove` takes away. */
  save(directory?: string): KeyFile {
    const place = directory ?? mkdtempSync(join(tmpdir(), "devchain-"));
    mkdirSync(place, { recursive: true, mode: 0o700 });
    const path = join(place, KEY_FILE);
    const both = Uint8Array.from([...this.#secret, ...this.#publicKey]);
    const content = {
      account_id: FIRST_ACCOUNT_ID,
      public_key: this.publicKey,
      private_key: PREFIX + encodeBase58(both),
    };
    // One that is there keeps its mode when it is written again.
    rmSync(path, { force: true });
    writeFileSync(path, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: "wx" });
    if (directory !== undefined) return this.fileIn(directory);
    return { path, remove: () => rmSync(place, { recursive: true, force: true }) };
  }
}
