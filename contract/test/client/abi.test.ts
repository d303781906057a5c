/** The ABI is held to the table of methods, to NEAR's schema 0.4.0, and to the arguments that the client makes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { buildContract } from "../../build.ts";
import {
  appealArgs,
  bindBuildArgs,
  CALLERS,
  claimLeaseArgs,
  disputeArgs,
  initializeArgs,
  METHODS,
  nearAbi,
  proveEquivocationArgs,
  registerNodeArgs,
  requestExecutionArgs,
  resolveExecutionArgs,
  setLevelsArgs,
} from "../../client/index.ts";

const root = join(import.meta.dirname, "../..");

type Schema = Readonly<Record<string, unknown>>;
interface Typed {
  readonly type_schema: Schema;
}
interface AbiFunction {
  readonly name: string;
  readonly doc: string;
  readonly kind: string;
  readonly modifiers?: readonly string[];
  readonly params?: {
    readonly serialization_type: string;
    readonly args: readonly ({ readonly name: string } & Typed)[];
  };
  readonly result?: { readonly serialization_type: string } & Typed;
}
const abi = nearAbi("0.2.0") as {
  schema_version: string;
  metadata: Record<string, string>;
  body: { functions: AbiFunction[]; root_schema: { $schema: string; definitions: Record<string, Schema> } };
};
const { functions, root_schema } = abi.body;
const of = (name: string) => functions.find((entry) => entry.name === name)!;
const keysWithin = (value: object, allowed: readonly string[]) =>
  assert.equal(
    Object.keys(value).filter((key) => !allowed.includes(key)),
    [],
  );

test("the ABI has every method of the table, with its kind, modifiers, arguments and result", () => {
  assert.equal(functions.map(({ name }) => name).sort(), Object.keys(METHODS).sort());
  for (const [name, method] of Object.entries(METHODS)) {
    const made = of(name);
    assert.is(made.kind, method.view ? "view" : "call", name);
    assert.is(made.modifiers?.includes("payable") ?? false, method.payable ?? false, name);
    assert.is(made.modifiers?.includes("private") ?? false, method.by === "self", name);
    assert.is(made.modifiers?.includes("init") ?? false, name === "new", name);
    assert.equal(made.params?.args.map((arg) => arg.name) ?? [], Object.keys(method.args), name);
    assert.is(made.result !== undefined, method.result !== undefined, name);
    const refusal = CALLERS[method.by];
    if (refusal !== undefined) assert.match(made.doc, refusal, name);
  }
});

test("it has the fields of schema 0.4.0 and no others", () => {
  assert.is(abi.schema_version, "0.4.0");
  keysWithin(abi, ["schema_version", "metadata", "body"]);
  keysWithin(abi.metadata, ["name", "version", "authors", "build", "wasm_hash"]);
  keysWithin(abi.body, ["functions", "root_schema"]);
  assert.is(root_schema.$schema, "http://json-schema.org/draft-07/schema#");
  for (const made of functions) {
    keysWithin(made, ["name", "doc", "kind", "modifiers", "params", "callbacks", "callbacks_vec", "result"]);
    if (made.params) keysWithin(made.params, ["serialization_type", "args"]);
    for (const arg of made.params?.args ?? []) keysWithin(arg, ["name", "type_schema"]);
    if (made.result) keysWithin(made.result, ["serialization_type", "type_schema"]);
    for (const part of [made.params, made.result]) assert.ok(part === undefined || part.serialization_type === "json");
  }
});

test("every reference has its definition, every definition is used and says something", () => {
  const named = [...JSON.stringify(abi).matchAll(/#\/definitions\/(\w+)/g)].map(([, name]) => name!);
  assert.equal(Object.keys(root_schema.definitions), [...new Set(named)].sort());
  for (const [name, { description }] of Object.entries(root_schema.definitions)) {
    assert.ok(typeof description === "string" && description.length > 15, name);
  }
});

test("amounts, durations and shares name their units", () => {
  for (const [name, { args }] of Object.entries(METHODS)) {
    for (const [field, type] of Object.entries(args)) {
      const schema = of(name).params!.args.find((arg) => arg.name === field)!.type_schema;
      const description = String(schema.description);
      if (type.startsWith("yocto")) assert.match(description, /yocto/, `${name}: ${field}`);
      if (type.startsWith("usd")) assert.match(description, /payment token/, `${name}: ${field}`);
      if (field.endsWith("_blocks")) assert.match(description, /in blocks/, `${name}: ${field}`);
      if (field.endsWith("_bps")) assert.match(description, /basis points/, `${name}: ${field}`);
      if (type.endsWith("?")) assert.match(description, "may be absent or null", `${name}: ${field}`);
    }
  }
});

/** As much of JSON Schema as the ABI uses. Undefined when the value fits, a place where it does not. */
function misfit(schema: Schema, value: unknown, at = "$"): string | undefined {
  const known = [
    "type",
    "description",
    "anyOf",
    "oneOf",
    "allOf",
    "$ref",
    "properties",
    "required",
    "items",
    "pattern",
  ];
  keysWithin(schema, [
    ...known,
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "contentEncoding",
    "additionalProperties",
  ]);
  const fits = (candidate: unknown) => misfit(candidate as Schema, value, at) === undefined;
  const { anyOf, oneOf, allOf, $ref, type, properties = {}, required = [] } = schema as Record<string, never>;
  if (anyOf !== undefined && !(anyOf as Schema[]).some(fits)) return at;
  if (oneOf !== undefined && (oneOf as Schema[]).filter(fits).length !== 1) return at;
  if (allOf !== undefined && !(allOf as Schema[]).every(fits)) return at;
  if ($ref !== undefined) return misfit(root_schema.definitions[String($ref).split("/").at(-1)!]!, value, at);
  const actual =
    value === null ? "null" : Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value;
  if (type !== undefined && actual !== type) return `${at} is ${actual}`;
  if (typeof value === "string" && !new RegExp(String(schema.pattern ?? "")).test(value)) return at;
  if (typeof value === "number" && !(value >= Number(schema.minimum ?? 0) && value <= Number(schema.maximum ?? value)))
    return at;
  if (actual === "array" && schema.items) {
    return (value as unknown[])
      .map((item, index) => misfit(schema.items as Schema, item, `${at}[${index}]`))
      .find(Boolean);
  }
  if (actual !== "object") return undefined;
  const fields = value as Record<string, unknown>;
  for (const name of required as string[]) if (!(name in fields)) return `${at}.${name} is missing`;
  for (const [name, field] of Object.entries(fields)) {
    const property = (properties as Record<string, Schema>)[name];
    // The contract ignores what it does not know; what the client sends should all be known.
    if (property === undefined && type === "object") return `${at}.${name} is unknown`;
    const inner = property && misfit(property, field, `${at}.${name}`);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function misfitOf(method: string, args: string): string | undefined {
  const { params } = of(method);
  const fields = JSON.parse(args) as Record<string, unknown>;
  const properties = Object.fromEntries(params!.args.map((arg) => [arg.name, arg.type_schema]));
  const required = params!.args.filter(({ name }) => !String(METHODS_ARGS[method]![name]).endsWith("?"));
  return misfit({ type: "object", properties, required: required.map(({ name }) => name) }, fields);
}
const METHODS_ARGS = Object.fromEntries(Object.entries(METHODS).map(([name, { args }]) => [name, args]));

test("what the client sends fits the ABI, and what the contract refuses does not", () => {
  const hash = new Uint8Array(32).fill(7);
  const signature = new Uint8Array(64).fill(9);
  const attestations = [{ accountId: "node.near", seat: 3, signature }];
  const level = { replaySeats: 20, quorum: 5, replicas: 6, challengeBlocks: 4, baseFeeYocto: 10n ** 22n };
  const network = { chainId: "devnet", seatStakeYocto: 1n, holderShareBps: 6000, timelockBlocks: 0, levels: [level] };
  const source = { GitHub: { repo: "github.com/a/b", commit: "c".repeat(40), build_target: null } } as const;
  const params = { compile_only: false, attached_usd: "5", project_uuid: null };
  const limits = { max_instructions: 5, max_memory_mb: null };
  const asked = {
    source,
    resource_limits: limits,
    input_data: "x",
    secrets_ref: { profile: "p", account_id: "a.near" },
    response_format: "Json",
    params,
  } as const;
  const output = { kind: "Bytes", bytes: Uint8Array.of(0, 255) } as const;
  const response = { success: true, output, instructions: 5n, timeMs: 1n } as never;
  const result = {
    leaseEpoch: 0,
    holder: "node.near",
    codeHash: hash,
    responseHash: hash,
    tapeHash: hash,
    attestations,
  };
  const build = { leaseEpoch: 0, holder: "node.near", codeHash: hash, recipeId: hash, detailsHash: hash, attestations };
  const statement = { statement: hash, signature };
  const resolution = { requestId: 1, leaseEpoch: 0, codeHash: hash, tapeHash: hash, response, attestations };
  const sent: readonly (readonly [method: string, args: string])[] = [
    ["new", initializeArgs("owner.near", undefined, network)],
    ["set_levels", setLevelsArgs([level])],
    ["request_execution", requestExecutionArgs(asked)],
    ["request_execution", requestExecutionArgs({ source: { Project: { project_id: "a.near/b" } } })],
    ["register_node", registerNodeArgs("ed25519:1", signature)],
    ["claim_lease", claimLeaseArgs({ requestId: 1, seat: 2, leaseEpoch: 0 })],
    ["resolve_execution", resolveExecutionArgs(resolution)],
    ["bind_build", bindBuildArgs(1, build)],
    ["dispute", disputeArgs(hash, result, result)],
    ["dispute", disputeArgs(hash, build, build)],
    ["appeal", appealArgs("node.near", hash, result)],
    ["prove_equivocation", proveEquivocationArgs("node.near", statement, statement)],
  ];
  for (const [method, args] of sent) assert.is(misfitOf(method, args), undefined, `${method} ${args}`);
  const wrong: readonly (readonly [method: string, args: string])[] = [
    ["request_execution", "{}"],
    ["request_execution", '{"source":{}}'],
    ["request_execution", '{"source":{"GitHub":{"repo":"r"}}}'],
    ["request_execution", '{"source":{"Project":{"project_id":"a/b"},"WasmUrl":{"url":"u","hash":"h"}}}'],
    ["claim_lease", '{"request_id":1,"seat":-1,"lease_epoch":0}'],
    ["claim_lease", '{"request_id":1,"seat":4294967296,"lease_epoch":0}'],
    ["set_pricing", '{"base_fee":1}'],
    ["set_pricing", '{"builder_share_bps":65536}'],
    ["add_recipe", '{"recipe_id":"zz"}'],
  ];
  for (const [method, args] of wrong) assert.is.not(misfitOf(method, args), undefined, `${method} ${args}`);
});

test("the build writes it beside the contract", async () => {
  await buildContract();
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  assert.equal(JSON.parse(readFileSync(join(root, "dist/abi.json"), "utf8")), nearAbi(version));
});

test.run();
