/**
 * The processes that `outlayer-node dev` starts: the chain and every node. Each reports over its IPC channel when it
 * is ready, writes its log to a file, and ends when this process does, however that happens.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createWriteStream } from "node:fs";
import { OperatingError } from "../errors.ts";

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 8_000;

export interface ChildOptions {
  readonly name: string;
  readonly module: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /** Show what it logs on standard error too. */
  readonly verbose: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly ended: Promise<void>;
  #running = true;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#process = child;
    this.ended = new Promise((resolve) => {
      child.once("close", () => {
        this.#running = false;
        resolve();
      });
    });
  }

  /** Starts the process and waits for its first IPC message, which `parse` turns into what it reports. */
  static async start<T>(options: ChildOptions, parse: (message: unknown) => T): Promise<{ child: Child; ready: T }> {
    const { name, module, args, logFile } = options;
    const log = createWriteStream(logFile, { flags: "a" });
    const child = fork(module, [...args], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: ["--disable-warning=ExperimentalWarning"],
      env: { ...process.env, ...options.env },
    });
    let tail = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        log.write(chunk);
        tail = (tail + chunk.toString("utf8")).slice(-2_000);
        if (options.verbose) process.stderr.write(`${name}: ${chunk.toString("utf8")}`);
      });
    }
    const self = new Child(name, child);
    void self.ended.then(() => log.end());
    try {
      return { child: self, ready: parse(await firstMessage(child)) };
    } catch (error) {
      self.kill();
      throw new OperatingError("dev_process_failed", { name, said: tail.trim() }, error);
    }
  }

  get running(): boolean {
    return this.#running;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** SIGKILL: no last words, as when a machine is switched off. */
  kill(): void {
    if (this.#running) this.#process.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.kill(), STOP_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }
}

function firstMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready after ${READY_TIMEOUT_MS / 1000} s`)), READY_TIMEOUT_MS);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    child.once("message", (message) => settle(() => resolve(message)));
    child.once("error", (error) => settle(() => reject(error)));
    child.once("exit", (code, signal) => settle(() => reject(new Error(`ended with ${signal ?? code}`))));
  });
}
