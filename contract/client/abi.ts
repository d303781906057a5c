/** The contract's ABI in NEAR's own form (near-abi schema 0.4.0), made from the table of its methods. */
import { ARGUMENTS, SHAPES, type Shape } from "./abi-shapes.ts";
import { CALLERS, type Caller, METHODS, type Method } from "./methods.ts";

type Schema = Readonly<Record<string, unknown>>;

const DIGITS = { type: "string", pattern: "^[0-9]{1,39}$" } as const;
const whole = (maximum: number | undefined) => ({ type: "integer", minimum: 0, ...(maximum ? { maximum } : {}) });

const SCHEMAS: Readonly<Record<string, Schema>> = {
  u8: whole(0xff),
  u16: whole(0xffff),
  u32: whole(0xffffffff),
  u64: whole(undefined),
  yocto: { ...DIGITS, description: "yoctoNEAR (10^-24 NEAR), decimal digits" },
  usd: { ...DIGITS, description: "millionths of the payment token, decimal digits" },
  account: { type: "string", minLength: 2, maxLength: 64, description: "a NEAR account id" },
  hash: { type: "string", pattern: "^[0-9a-fA-F]{64}$", description: "32 bytes, hexadecimal" },
  base64: { type: "string", contentEncoding: "base64", description: "bytes, base64 with padding" },
  text: { type: "string" },
  bool: { type: "boolean" },
  json: { description: "any JSON value" },
};

export function schemaOf(type: string): Schema {
  if (type.endsWith("?")) return { anyOf: [schemaOf(type.slice(0, -1)), { type: "null" }] };
  if (type.endsWith("[]")) return { type: "array", items: schemaOf(type.slice(0, -2)) };
  return SCHEMAS[type] ?? { $ref: `#/definitions/${type}` };
}

function objectOf(fields: Readonly<Record<string, string>>): Schema {
  const required = Object.keys(fields).filter((name) => !fields[name]!.endsWith("?"));
  const properties = Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, schemaOf(type)]));
  return { type: "object", properties, ...(required.length > 0 ? { required } : {}) };
}

/** Fields that are not known are ignored, but of variants there is exactly one. */
function variantOf(name: string, content: string | Readonly<Record<string, string>>): Schema {
  const schema = typeof content === "string" ? schemaOf(content) : objectOf(content);
  return { type: "object", properties: { [name]: schema }, required: [name], additionalProperties: false };
}

function definitionOf(name: string): Schema {
  const shape: Shape = SHAPES[name] ?? { about: `${name} of docs/spec/contract.md` };
  const description = shape.about;
  if ("fields" in shape) return { description, ...objectOf(shape.fields) };
  if (!("oneOf" in shape)) return { description };
  return { description, oneOf: Object.entries(shape.oneOf).map(([variant, content]) => variantOf(variant, content)) };
}

/** Units stand last in a name. */
const UNITS: readonly (readonly [suffix: string, unit: string])[] = [
  ["_blocks", "in blocks"],
  ["_bps", "in basis points (1/10,000)"],
  ["_bytes", "in bytes"],
];
const unitOf = (name: string) => UNITS.find(([suffix]) => name.endsWith(suffix))?.[1];

/** draft-07 reads nothing beside a reference, so that one goes into `allOf` to be described. */
function argumentOf(name: string, type: string): Schema {
  const schema = schemaOf(type);
  const optional = type.endsWith("?") ? "may be absent or null" : undefined;
  const ofType = schemaOf(type.replaceAll(/\?|\[\]/g, "")).description;
  const own = ARGUMENTS[name] ?? unitOf(name) ?? ofType;
  const description = [own, optional].filter((part) => part !== undefined).join("; ");
  if (description === "") return schema;
  return "$ref" in schema ? { allOf: [schema], description } : { ...schema, description };
}

const CALLER_NAMES: Readonly<Record<Caller, string>> = {
  anyone: "anyone",
  owner: "the contract's owner",
  operator: "the operator",
  self: "the contract itself",
  node: "an account with a registered node",
  holder: "the node that holds the request's lease",
  requester: "the account that made the request",
  token: "the token that is taken for payment",
  member: "a member of the keystore epoch",
  nobody: "nobody: a name of today's OutLayer that says why it is refused",
};

const RESULTS: Readonly<Record<string, string>> = {
  yocto: "Gives an amount in yoctoNEAR.",
  usd: "Gives millionths of the payment token.",
};

function docOf(method: Method): string {
  const refusal = CALLERS[method.by];
  const result = RESULTS[method.result ?? ""];
  return [
    method.view
      ? "A view: anyone may call it, for nothing."
      : `May be called by ${CALLER_NAMES[method.by]}${refusal === undefined ? "" : ` (else the panic ${refusal})`}.`,
    ...(method.payable ? ["Takes a deposit, in yoctoNEAR."] : []),
    ...(method.view || method.payable || method.by === "nobody" ? [] : ["Attach no deposit: it would be kept."]),
    ...(result === undefined ? [] : [result]),
  ].join(" ");
}

function functionOf(name: string, method: Method): object {
  const modifiers = [
    ...(name === "new" ? ["init"] : []),
    ...(method.by === "self" ? ["private"] : []),
    ...(method.payable ? ["payable"] : []),
  ];
  const args = Object.entries(method.args).map(([field, type]) => ({
    name: field,
    type_schema: argumentOf(field, type),
  }));
  return {
    name,
    doc: docOf(method),
    kind: method.view ? "view" : "call",
    ...(modifiers.length > 0 ? { modifiers } : {}),
    ...(args.length > 0 ? { params: { serialization_type: "json", args } } : {}),
    ...(method.result ? { result: { serialization_type: "json", type_schema: schemaOf(method.result) } } : {}),
  };
}

/** The shapes that the table names, and those that they name in turn. */
function definitions(functions: readonly object[]): Record<string, Schema> {
  const found = new Map<string, Schema>();
  const collect = (schema: unknown) => {
    for (const [, name] of JSON.stringify(schema).matchAll(/#\/definitions\/(\w+)/g)) {
      if (found.has(name!)) continue;
      const definition = definitionOf(name!);
      found.set(name!, definition);
      collect(definition);
    }
  };
  collect(functions);
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function nearAbi(version: string): object {
  const functions = Object.entries(METHODS).map(([name, method]) => functionOf(name, method));
  return {
    schema_version: "0.4.0",
    metadata: { name: "outlayer", version },
    body: {
      functions,
      root_schema: { $schema: "http://json-schema.org/draft-07/schema#", definitions: definitions(functions) },
    },
  };
}
