// The direction rules of the house. Two traps: a workspace import that cannot be resolved passes silently unless
// exportsFields and the .ts extensions are set (and `no-unresolvable` stands), and `^node` also matches node_modules.
/** @type {import('dependency-cruiser').IConfiguration} */
const config = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true, pathNot: "^cloudflare:" } },
    {
      name: "protocol-is-pure",
      comment: "protocol/src imports itself and @noble/* only: no node: module, no other package",
      severity: "error",
      from: { path: "^protocol/src/" },
      to: { pathNot: ["^protocol/src/", "^node_modules/@noble/"] },
    },
    {
      name: "contract-imports-protocol-only",
      severity: "error",
      from: { path: "^contract/" },
      to: { path: "^(node|sim|wasi-examples)/" },
    },
    { name: "sim-and-node-are-strangers", severity: "error", from: { path: "^sim/" }, to: { path: "^node/" } },
    { name: "node-and-sim-are-strangers", severity: "error", from: { path: "^node/" }, to: { path: "^sim/" } },
    {
      name: "sources-do-not-import-tests",
      severity: "error",
      from: { pathNot: "/(test|conformance|bench)/" },
      to: { path: "^[^/]+/test/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(/dist/|/assembly/|^coverage/)" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".json"],
      mainFields: ["module", "main", "types"],
    },
  },
};
// biome-ignore lint/style/noDefaultExport: dependency-cruiser reads its configuration from the default export
export default config;
