/**
 * bubblewrap around an engine child: namespaces of its own for users, processes, network, IPC and host name, and a file
 * system that holds nothing but the system's libraries, Node and the child's program, all read-only. A guest that broke
 * out of V8 would find itself there. Whether a machine allows it (a kernel without user namespaces, a container that
 * forbids them) is found out by a canary: Node is started in just such a sandbox, once.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { OperatingError } from "../errors.ts";

export const SANDBOX_MODES = ["auto", "require", "off"] as const;
export type SandboxMode = (typeof SANDBOX_MODES)[number];

export type Sandbox =
  | { readonly kind: "bubblewrap"; readonly program: string }
  | { readonly kind: "none"; readonly reason: string };

const BWRAP_PATHS: readonly string[] = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];
/** Where a distribution keeps what Node is linked with; a path that is not there is passed over. */
const LIBRARY_PATHS: readonly string[] = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache"];
const CANARY_TIMEOUT_MS = 10_000;

/** Arguments of bwrap up to and including `--`, for a program that reads `files` and nothing else. */
export function sandboxArguments(files: readonly string[]): readonly string[] {
  const readable = (path: string) => ["--ro-bind-try", path, path];
  return [
    // No --new-session: who starts it does that (child-options.ts), since a session of the guest's own would take it out
    // of the process group that is killed.
    ...["--unshare-all", "--die-with-parent", "--as-pid-1", "--hostname", "guest"],
    ...["--cap-drop", "ALL", "--dev", "/dev"],
    ...LIBRARY_PATHS.flatMap(readable),
    ...[process.execPath, ...files].flatMap(readable),
    // What bubblewrap made to hang the rest in is memory that could be filled.
    ...["--remount-ro", "/", "--chdir", "/", "--"],
  ];
}

/** The sandbox that this machine allows, by a canary; `programs` is where bwrap is looked for. */
export function probeSandbox(programs: readonly string[] = BWRAP_PATHS): Sandbox {
  if (process.platform !== "linux") return { kind: "none", reason: `bubblewrap is for Linux, not ${process.platform}` };
  const program = programs.find((path) => existsSync(path));
  if (program === undefined) return { kind: "none", reason: "bubblewrap (bwrap) is not installed" };
  const canary = spawnSync(program, [...sandboxArguments([]), process.execPath, "--eval", "0"], {
    encoding: "utf8",
    env: {},
    timeout: CANARY_TIMEOUT_MS,
  });
  if (canary.status === 0) return { kind: "bubblewrap", program };
  const said = canary.error?.message ?? canary.stderr.trim().split("\n").at(-1) ?? "";
  return { kind: "none", reason: `bubblewrap does not start Node here: ${said || `status ${canary.status}`}` };
}

/**
 * The sandbox to use under an operator's wish.
 * @throws {OperatingError} `engine_sandbox_missing` where one is required and this machine allows none
 */
export function chooseSandbox(mode: SandboxMode, probe: () => Sandbox = probeSandbox): Sandbox {
  if (mode === "off") return { kind: "none", reason: "switched off by the configuration" };
  const sandbox = probe();
  if (mode === "require" && sandbox.kind === "none") {
    throw new OperatingError("engine_sandbox_missing", { reason: sandbox.reason });
  }
  return sandbox;
}
