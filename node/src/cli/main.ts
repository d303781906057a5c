/** The command line: `outlayer-node start | dev | run | config print`. */
import { Command, CommanderError, Option } from "commander";
import { loadConfig } from "../config.ts";
import { isOperatingError, OperatingError } from "../errors.ts";
import { VERSION } from "../version.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command("outlayer-node")
    .description("A node of the OutLayer peer-to-peer compute network for NEAR smart contracts")
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError("(outlayer-node --help shows the commands)");

  withConfigFlags(program.command("start").description("run a node against a NEAR network")).action(async (flags) => {
    const { startCommand } = await import("./start.ts");
    await startCommand(configOf(flags));
  });

  program
    .command("dev")
    .description(
      "run the whole network on this machine: an embedded NEAR chain, the contract, nodes and one real request",
    )
    .option("--once", "do one request, print its receipt and exit")
    .option("--json", "print the receipt as one JSON line, the last one on standard output")
    .option("--request <guest>", "the guest to run: an example's name or a .wasm file", "random-ark")
    .option("--input <text>", "what the guest reads on standard input")
    .addOption(
      new Option("--format <format>", "what the caller asks for").choices(["Json", "Text", "Bytes"]).default("Json"),
    )
    .option("--kill-holder", "kill the process of the node that leases the request, in the middle of it")
    .option("--hash <sha256>", "name this hash in the request instead of the guest's own")
    .option("--nodes <count>", "how many nodes", "4")
    .option("--block-interval-ms <ms>", "time between blocks", "600")
    .option("--challenge-blocks <count>", "blocks that an answer waits for objections", "0")
    .option("--faults <json>", "what the chain does to its clients, for example '{\"droppedBlocks\":0.2}'")
    .option("--http-port <port>", "port of the first node's page; a busy one makes way to the next free one", "3000")
    .option("--max-instructions <count>", "fuel that the request pays for", "1000000000")
    .option("--verbose", "show what every node logs")
    .action(async (flags) => {
      const { runDev } = await import("../dev/run-dev.ts");
      process.exitCode = await runDev(flags);
    });

  withRunFlags(program.command("run <file>").description("run a guest (.wasm) on this machine")).action(
    async (file: string, flags) => {
      const { runGuest } = await import("./run-guest.ts");
      process.exitCode = await runGuest(file, flags, process.env);
    },
  );

  program
    .command("chain")
    .description("run the embedded NEAR chain alone, with a page to look at its blocks (chain --help for its options)")
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async () => {
      const { DevChainCommandError, runDevChainCommand } = await import("@outlayer/contract/devchain");
      try {
        await runDevChainCommand(argv.slice(argv.indexOf("chain") + 1));
      } catch (error) {
        if (error instanceof DevChainCommandError)
          throw new OperatingError("config_invalid", { problems: error.message });
        throw error;
      }
    });

  const config = program.command("config").description("look at the configuration");
  withConfigFlags(config.command("print").description("print every value and where it comes from")).action((flags) => {
    const { config: values, sources } = configOf(flags);
    for (const [key, source] of Object.entries(sources)) {
      const value =
        key === "httpToken" && values.httpToken ? "(hidden)" : JSON.stringify(values[key as keyof typeof values]);
      console.log(`${key} = ${value ?? "(not set)"}  [${source}]`);
    }
  });

  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = explain(error);
  }
}

function withRunFlags(command: Command): Command {
  const list = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];
  return command
    .option("--input <text>", "what the guest reads on standard input")
    .option("--input-file <file>", "the same from a file")
    .option("--engine <engine>", "v8, wasmtime or both; both must agree")
    .option("--replays <count>", "run so many times more and compare")
    .option("--json", "print one JSON line, the last one on standard output")
    .option("--max-instructions <count>", "fuel of the run")
    .option("--max-memory-mb <count>", "memory of the guest")
    .option("--seed <hex>", "32 bytes behind random_get")
    .option("--env <name=value>", "environment variable; may be repeated", list)
    .option("--block-time-ns <count>", "the wall clock, in nanoseconds since 1970")
    .option("--wall-time-ms <count>", "real time after which a run is given up")
    .option("--wasmtime-library <file>", "libwasmtime of wasmtime's C API (OUTLAYER_WASMTIME_LIB)")
    .option("--fuel-report", "say where the fuel went")
    .option("--flame-graph <file>", "the same, and draw it to this file (SVG)");
}

function withConfigFlags(command: Command): Command {
  const list = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];
  return command
    .option("--config <file>", "JSON file with the values below")
    .option("--account-id <account>", "the account that claims and resolves")
    .option("--contract-id <account>", "the OutLayer contract")
    .option("--rpc <url>", "NEAR JSON-RPC endpoint; may be repeated", list)
    .option("--data-directory <path>", "where the node keeps its state")
    .option("--account-key-file <path>", "NEAR credential file of the account")
    .option("--listen <multiaddr>", "address to listen on; may be repeated", list)
    .option("--bootstrap <multiaddr>", "a peer to start from; may be repeated", list)
    .option("--http-host <host>", "address of the local API and page")
    .option("--http-port <port>", "port of the local API and page")
    .option("--register-stake-yocto <yocto>", "register with this stake when the account is not registered yet")
    .option("--engine-children <count>", "processes that run guests")
    .option("--engine-wall-time-ms <ms>", "wall-clock limit of one run, beyond which the node abstains")
    .option("--engine-sandbox <mode>", "bubblewrap around guests: auto, require or off")
    .option("--wasmtime-lib <file>", "wasmtime's C library, to audit what V8 runs")
    .option("--audit-per-mille <count>", "of a thousand runs, how many are audited")
    .option("--content-capacity-bytes <bytes>", "disk space for code")
    .option("--content-timeout-ms <ms>", "how long to look for code at other peers in one try")
    .option("--log-level <level>", "debug, info, warn, error or silent");
}

function configOf(flags: Record<string, unknown>) {
  const { config: file, ...values } = flags;
  return loadConfig(values, process.env, typeof file === "string" ? file : undefined);
}

/** One sentence for a person; the stack only for what is our own fault. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (isOperatingError(error)) console.error(`${error.message}\n${error.advice}`);
  else console.error(error);
  return EXIT_FAILURE;
}
