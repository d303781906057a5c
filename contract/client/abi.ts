/** The contract's ABI in NEAR's own form (near-abi schema 0.4.0), made from the table of its methods. */
import { METHODS, type Method } from "./methods.ts";

const DIGITS = { type: "string", pattern: "^[0-9]{1,39}$" } as const;
const whole = (maximum: number | undefined) => ({ type: "integer", minimum: 0, ...(maximum ? { maximum } : {}) });

const SCHEMAS: Readonly<Record<string, object>> = {
  u16: whole(0xffff),
  u32: whole(0xffffffff),
  u64: whole(undefined),
  yocto: DIGITS,
  usd: DIGITS,
  account: { type: "string", minLength: 2, maxLength: 64 },
  hash: { type: "string", pattern: "^[0-9a-fA-F]{64}$" },
  base64: { type: "string", contentEncoding: "base64" },
  text: { type: "string" },
  bool: { type: "boolean" },
  json: {},
};

export function schemaOf(type: string): object {
  if (type.endsWith("?")) return { anyOf: [schemaOf(type.slice(0, -1)), { type: "null" }] };
  if (type.endsWith("[]")) return { type: "array", items: schemaOf(type.slice(0, -2)) };
  return SCHEMAS[type] ?? { $ref: `#/definitions/${type}` };
}

function functionOf(name: string, method: Method): object {
  const modifiers = [
    ...(name === "new" ? ["init"] : []),
    ...(method.by === "self" ? ["private"] : []),
    ...(method.payable ? ["payable"] : []),
  ];
  const args = Object.entries(method.args).map(([field, type]) => ({ name: field, type_schema: schemaOf(type) }));
  return {
    name,
    kind: method.view ? "view" : "call",
    ...(modifiers.length > 0 ? { modifiers } : {}),
    ...(args.length > 0 ? { params: { serialization_type: "json", args } } : {}),
    ...(method.result ? { result: { serialization_type: "json", type_schema: schemaOf(method.result) } } : {}),
  };
}

/** Shapes that the table names: objects whose fields the specification gives. */
function shapes(): string[] {
  const types = Object.values(METHODS).flatMap(({ args, result }) => [
    ...Object.values(args),
    ...(result ? [result] : []),
  ]);
  const names = types.map((type) => type.replaceAll(/\?|\[\]/g, "")).filter((type) => /^[A-Z]/.test(type));
  return [...new Set(names)].sort();
}

export function nearAbi(version: string): object {
  const functions = Object.entries(METHODS).map(([name, method]) => functionOf(name, method));
  return {
    schema_version: "0.4.0",
    metadata: { name: "outlayer", version },
    body: {
      functions,
      root_schema: {
        $schema: "http://json-schema.org/draft-07/schema#",
        definitions: Object.fromEntries(
          shapes().map((name) => [name, { description: `docs/spec/contract.md: ${name}` }]),
        ),
      },
    },
  };
}
