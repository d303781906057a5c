import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { isOperatingError, type OperatingErrorCode } from "../../src/errors.ts";
import { NodeKey, peerIdOf, publicKeyOf, publicKeyText, verifyEd25519 } from "../../src/keys/index.ts";

const directory = mkdtempSync(join(tmpdir(), "outlayer-keys-"));
test.after(() => rmSync(directory, { recursive: true, force: true }));

async function refused(path: string): Promise<OperatingErrorCode | undefined> {
  try {
    await NodeKey.loadOrCreate(path);
  } catch (error) {
    if (isOperatingError(error)) return error.code;
    throw error;
  }
  return undefined;
}

test("a key file is made once, private to its owner, and loaded again", async () => {
  const path = join(directory, "made", "node-key.json");
  const made = await NodeKey.loadOrCreate(path);
  assert.is(statSync(path).mode & 0o777, 0o600);
  const loaded = await NodeKey.loadOrCreate(path);
  assert.equal(loaded.publicKey, made.publicKey);
  const file = JSON.parse(readFileSync(path, "utf8"));
  assert.is(file.public_key, made.toString());
  assert.match(file.private_key, /^ed25519:[1-9A-HJ-NP-Za-km-z]{80,90}$/);
  assert.equal(readdirSync(join(directory, "made")), ["node-key.json"], "no draft is left behind");
});

test("two creations at once end with one key", async () => {
  const path = join(directory, "race.json");
  const keys = await Promise.all(Array.from({ length: 8 }, () => NodeKey.loadOrCreate(path)));
  assert.is(new Set(keys.map(String)).size, 1);
});

test("a file that others can read is refused", async () => {
  const path = join(directory, "open.json");
  await NodeKey.loadOrCreate(path);
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(path, mode);
    assert.is(await refused(path), "key_file_permissions");
  }
  chmodSync(path, 0o400);
  assert.is(await refused(path), undefined);
});

test("malformed files are refused by name, and the error does not quote them", async () => {
  const good = join(directory, "good.json");
  await NodeKey.loadOrCreate(good);
  const file = JSON.parse(readFileSync(good, "utf8"));
  const other = NodeKey.generate().toString();
  const cases: Record<string, string> = {
    empty: "",
    "not json": file.private_key,
    "not an object": "[1",
    null: "null",
    "no private key": JSON.stringify({ public_key: file.public_key }),
    "no public key": JSON.stringify({ private_key: file.private_key }),
    "wrong curve": JSON.stringify({ ...file, private_key: file.private_key.replace("ed25519", "secp256k1") }),
    "not base58": JSON.stringify({ ...file, private_key: "ed25519:0OIl" }),
    "too short": JSON.stringify({ ...file, private_key: other }),
    "another's public key": JSON.stringify({ ...file, public_key: other }),
    "too long": " ".repeat(5000) + JSON.stringify(file),
  };
  for (const [name, text] of Object.entries(cases)) {
    const path = join(directory, `${name}.json`);
    writeFileSync(path, text, { mode: 0o600 });
    assert.is(await refused(path), "key_file_malformed", name);
    const error = await NodeKey.loadOrCreate(path).catch((e: Error) => e);
    assert.not.ok(String((error as Error).stack).includes(file.private_key.slice(8, 40)), name);
  }
  assert.is(await refused(directory), "key_file_malformed", "a directory is no key file");
});

test("halves that do not belong together are refused", () => {
  const text = (secret: string) => JSON.stringify({ public_key: NodeKey.generate().toString(), private_key: secret });
  assert.throws(() => NodeKey.fromFileText(text(`ed25519:${"1".repeat(64)}`), "x"), /halves/);
});

test("signatures are plain ed25519, and verification of rubbish is false", () => {
  const key = NodeKey.generate();
  const message = Buffer.from("the lease is mine");
  const signature = key.sign(message);
  assert.is(signature.length, 64);
  assert.ok(verifyEd25519(key.publicKey, message, signature));
  assert.not.ok(verifyEd25519(NodeKey.generate().publicKey, message, signature));
  assert.not.ok(verifyEd25519(key.publicKey, Buffer.from("other"), signature));
  for (const bad of [new Uint8Array(0), new Uint8Array(63), new Uint8Array(64).fill(0xff)]) {
    assert.is(verifyEd25519(key.publicKey, message, bad), false);
  }
  for (const bad of [new Uint8Array(0), new Uint8Array(33), new Uint8Array(32).fill(0xff)]) {
    assert.is(verifyEd25519(bad, message, signature), false);
  }
});

// Test 2 of RFC 8032, section 7.1.
test("RFC 8032 test vector", () => {
  const publicKey = Buffer.from("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "hex");
  const signature = Buffer.from(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    "hex",
  );
  assert.ok(verifyEd25519(publicKey, Uint8Array.of(0x72), signature));
});

test("peer ids and public keys map both ways", () => {
  const key = NodeKey.generate();
  assert.ok(peerIdOf(key.publicKey).equals(key.peerId));
  assert.equal(publicKeyOf(key.peerId), key.publicKey);
  assert.is(publicKeyText(key.publicKey), key.toString());
  assert.throws(() => peerIdOf(new Uint8Array(31)), RangeError);
});

test.run();
