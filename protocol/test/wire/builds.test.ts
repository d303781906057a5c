import { test } from "uvu";
import * as assert from "uvu/assert";
import { decode, encode } from "../../src/wire/borsh.ts";
import {
  BUILD_DOMAIN,
  type BuildRecord,
  type BuildStatement,
  buildDetailsHash,
  buildRecord,
  buildStatement,
  buildStatementDigest,
  canonicalSourceOf,
  sourceHash,
} from "../../src/wire/builds.ts";
import { resultStatement } from "../../src/wire/statement.ts";

const fill = (byte: number) => new Uint8Array(32).fill(byte);
const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const STATEMENT: BuildStatement = {
  domain: BUILD_DOMAIN,
  chainId: "testnet",
  contractId: "outlayer.near",
  requestId: 7,
  requestDigest: fill(1),
  leaseEpoch: 2,
  holder: "a.near",
  codeHash: fill(3),
  seed: fill(4),
  detailsHash: fill(5),
  recipeId: fill(6),
};
const source = (repo: string, commit = COMMIT, buildTarget?: string) =>
  canonicalSourceOf({ kind: "GitHub", repo, commit, buildTarget });

/** Hashed by hand from the table of docs/spec/wire.md, without the codecs. */
test("golden values: signatures and bindings are found under them for ever", () => {
  assert.is(hex(buildStatementDigest(STATEMENT)), "c33d8993d73be368169f8fb32f2bc8ace5a0ca2e7fdad3291c404af82771fea3");
  assert.is(
    hex(buildDetailsHash({ treeHash: fill(1).subarray(0, 20), lockfileHash: undefined, sizeBytes: 26_000 })),
    "4710dfec938e009c7f3eadc7f27c6b24e8b16d4a951c7f791a4bebdd7ec389a1",
  );
  assert.is(hex(sourceHash(source("near/guest")!)), "e849607c07e7d933fb74ceec005ec3437fdc11440f1afaf6e8b82ff31472e14a");
  const record: BuildRecord = {
    version: 1,
    codeHash: fill(1),
    recipeId: fill(2),
    detailsHash: fill(3),
    requestId: 4n,
    quorum: 5,
    boundHeight: 6,
    payer: "a.near",
    depositYocto: 7n,
    signers: ["b.near", "c.near"],
  };
  assert.equal(decode(buildRecord, encode(buildRecord, record)), record);
});

test("every field of the statement is signed, under a domain that is not a result's", () => {
  const digest = hex(buildStatementDigest(STATEMENT));
  const others: Partial<BuildStatement>[] = [
    { domain: "outlayer/result-attestation/v1" },
    { chainId: "mainnet" },
    { contractId: "other.near" },
    { requestId: 8 },
    { requestDigest: fill(9) },
    { leaseEpoch: 3 },
    { holder: "b.near" },
    { codeHash: fill(9) },
    { seed: fill(9) },
    { detailsHash: fill(9) },
    { recipeId: fill(9) },
  ];
  assert.is(others.length, Object.keys(STATEMENT).length);
  for (const other of others) assert.not.equal(hex(buildStatementDigest({ ...STATEMENT, ...other })), digest);
  assert.throws(() => decode(resultStatement, encode(buildStatement, STATEMENT)));
});

test("all spellings of a repository are one", () => {
  const spellings = [
    "near/guest",
    "github.com/near/guest",
    "https://github.com/near/guest",
    "https://www.github.com/Near/Guest/",
    "https://github.com/near/guest.git",
    "git@github.com:near/guest.git",
  ];
  for (const repo of spellings) {
    assert.equal(source(repo), { repository: "near/guest", commit: COMMIT, target: "wasm32-wasip1" }, repo);
  }
  assert.is(source("near/guest", COMMIT.toUpperCase())!.commit, COMMIT);
  assert.is(source("near/guest", COMMIT, "wasm32-wasi")!.target, "wasm32-wasip1");
  assert.is(source("near/guest", COMMIT, "wasm32-wasip2")!.target, "wasm32-wasip2");
});

test("what is no commit of a GitHub repository has no name", () => {
  const repos = [
    "http://github.com/near/guest",
    "https://gitlab.com/near/guest",
    "https://github.com:443/near/guest",
    "https://tok@github.com/near/guest",
    "https://github.com.example.org/near/guest",
    "https://github.com/near/guest/tree/main",
    "https://github.com/near",
    "near/guest.git.git",
    "near/guest.wiki",
    "near/..",
    "near/-x",
    "-near/guest",
    "ne.ar/guest",
    "near//guest",
    "near/guest?x",
    "near/guest\n",
    "ne\u0430r/guest",
    `near/${"g".repeat(101)}`,
    `${"n".repeat(40)}/guest`,
    "",
  ];
  for (const repo of repos) assert.is(source(repo), undefined, repo);
  for (const commit of ["main", COMMIT.slice(1), `${COMMIT}0`, `${COMMIT}\n`, COMMIT.replace("0", "g"), ""]) {
    assert.is(source("near/guest", commit), undefined, commit);
  }
  assert.is(
    canonicalSourceOf({ kind: "WasmUrl", url: "near/guest", hash: fill(1), buildTarget: undefined }),
    undefined,
  );
});

test.run();
