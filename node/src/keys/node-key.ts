/**
 * The node's network identity: one ed25519 key in a file of its own (never the funded account's key). The same key
 * signs protocol messages and makes the peer id, so a peer id and `ed25519:...` name each other both ways.
 *
 * The file is NEAR's credential form: `{"public_key": "ed25519:<base58 of 32 bytes>", "private_key":
 * "ed25519:<base58 of 64 bytes: seed, public key>"}`, mode 0600.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { chmod, link, mkdir, open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { privateKeyFromRaw, publicKeyFromRaw } from "@libp2p/crypto/keys";
import type { PeerId, PrivateKey } from "@libp2p/interface";
import { peerIdFromPublicKey } from "@libp2p/peer-id";
import { base58 } from "@scure/base";
import { syncDirectory } from "../durability.ts";
import { OperatingError } from "../errors.ts";

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
const SEED_BYTES = 32;
/** A key file is some 200 bytes; anything much larger is not one. */
const MAX_KEY_FILE_BYTES = 4096;
const TEXT_PREFIX = "ed25519:";
/** DER headers of RFC 8410 for a PKCS #8 private key and a SubjectPublicKeyInfo; the raw 32 bytes follow. */
const PKCS8_HEADER = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_HEADER = Buffer.from("302a300506032b6570032100", "hex");

export class NodeKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly peerId: PeerId;
  readonly #seed: Buffer;
  readonly #key: KeyObject;

  private constructor(seed: Buffer) {
    this.#seed = seed;
    this.#key = createPrivateKey({ key: Buffer.concat([PKCS8_HEADER, seed]), format: "der", type: "pkcs8" });
    const spki = createPublicKey(this.#key).export({ format: "der", type: "spki" });
    this.publicKey = new Uint8Array(spki.subarray(SPKI_HEADER.length));
    this.peerId = peerIdOf(this.publicKey);
  }

  /** A new key that is in no file. */
  static generate(): NodeKey {
    return new NodeKey(randomBytes(SEED_BYTES));
  }

  /**
   * Reads the key file, or makes it when there is none. Creation is atomic: of two processes that start at once one
   * file wins and both use it.
   * @throws OperatingError key_file_permissions, key_file_malformed, key_file_unreadable
   */
  static async loadOrCreate(path: string): Promise<NodeKey> {
    const found = await readKeyFile(path);
    if (found) return found;
    const key = NodeKey.generate();
    if (await createKeyFile(path, key.#fileText())) return key;
    const winner = await readKeyFile(path);
    if (!winner) throw new OperatingError("key_file_unreadable", { path });
    return winner;
  }

  /** @throws OperatingError key_file_malformed */
  static fromFileText(text: string, path: string): NodeKey {
    const malformed = (reason: string) => new OperatingError("key_file_malformed", { path, reason });
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      // The parser's message quotes the input, which may be a secret: it is left out on purpose.
      throw malformed("not JSON");
    }
    if (typeof parsed !== "object" || parsed === null) throw malformed("not a JSON object");
    const { public_key: publicText, private_key: privateText } = parsed as Record<string, unknown>;
    const secret = decodeKeyText(privateText, SEED_BYTES + PUBLIC_KEY_BYTES);
    if (!secret) throw malformed("private_key is not ed25519: and base58 of 64 bytes");
    const key = new NodeKey(Buffer.from(secret.subarray(0, SEED_BYTES)));
    if (!key.#owns(secret.subarray(SEED_BYTES))) throw malformed("the two halves of private_key do not match");
    const stated = decodeKeyText(publicText, PUBLIC_KEY_BYTES);
    if (!stated || !key.#owns(stated)) throw malformed("public_key does not match private_key");
    return key;
  }

  /** An ed25519 signature (RFC 8032) of 64 bytes. */
  sign(message: Uint8Array): Uint8Array {
    return new Uint8Array(sign(null, message, this.#key));
  }

  /** The key as libp2p wants it, for the host alone. */
  libp2pPrivateKey(): PrivateKey {
    return privateKeyFromRaw(Buffer.concat([this.#seed, this.publicKey]));
  }

  toString(): string {
    return publicKeyText(this.publicKey);
  }

  #owns(publicKey: Uint8Array): boolean {
    return Buffer.compare(this.publicKey, publicKey) === 0;
  }

  #fileText(): string {
    const secret = TEXT_PREFIX + base58.encode(Buffer.concat([this.#seed, this.publicKey]));
    return `${JSON.stringify({ public_key: this.toString(), private_key: secret }, null, 2)}\n`;
  }
}

/** `ed25519:<base58>`. */
export function publicKeyText(publicKey: Uint8Array): string {
  return TEXT_PREFIX + base58.encode(publicKey);
}

/** The peer id of a node's public key; throws RangeError when the key has not 32 bytes. */
export function peerIdOf(publicKey: Uint8Array): PeerId {
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new RangeError(`a public key has 32 bytes, not ${publicKey.length}`);
  return peerIdFromPublicKey(publicKeyFromRaw(publicKey));
}

/** The 32-byte public key in a peer id; undefined for a peer id of another kind of key, which no node has. */
export function publicKeyOf(peerId: PeerId): Uint8Array | undefined {
  return peerId.type === "Ed25519" ? peerId.publicKey.raw : undefined;
}

/** Whether `signature` is `publicKey`'s over `message`; false, never an exception, for malformed input. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  try {
    const key = createPublicKey({ key: Buffer.concat([SPKI_HEADER, publicKey]), format: "der", type: "spki" });
    return verify(null, message, key, signature);
  } catch {
    return false;
  }
}

function decodeKeyText(text: unknown, sizeBytes: number): Uint8Array | undefined {
  if (typeof text !== "string" || text.length > 128 || !text.startsWith(TEXT_PREFIX)) return undefined;
  try {
    const bytes = base58.decode(text.slice(TEXT_PREFIX.length));
    return bytes.length === sizeBytes ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** Checks and reads through one handle, so that the file that was checked is the file that is read. */
async function readKeyFile(path: string): Promise<NodeKey | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new OperatingError("key_file_unreadable", { path }, error);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new OperatingError("key_file_malformed", { path, reason: "not a regular file" });
    if (process.platform !== "win32" && (stat.mode & 0o077) !== 0) {
      throw new OperatingError("key_file_permissions", { path, mode: (stat.mode & 0o777).toString(8) });
    }
    if (stat.size > MAX_KEY_FILE_BYTES) throw new OperatingError("key_file_malformed", { path, reason: "too long" });
    return NodeKey.fromFileText(await file.readFile("utf8"), path);
  } finally {
    await file.close();
  }
}

/** Writes a whole file beside the target and links it into place; false when the target came to be meanwhile. */
async function createKeyFile(path: string, text: string): Promise<boolean> {
  const draft = join(dirname(path), `.node-key-${randomBytes(8).toString("hex")}`);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    // The umask can only take rights away, but a default access list of the directory could add some.
    await chmod(draft, 0o600);
    await link(draft, path);
    await syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new OperatingError("key_file_unreadable", { path }, error);
  } finally {
    await unlink(draft).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw new OperatingError("key_file_unreadable", { path: draft }, error);
    });
  }
}
