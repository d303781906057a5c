/**
 * The processes that `outlayer-node dev` starts: the chain and every node. Each reports over its IPC channel when it
 * is ready, writes its log to a file, and ends when this process does, however that happens.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createWriteStream } from "node:fs";
import { OperatingError } from "../errors.ts";

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 8_000;
const MAX_TAIL_CHARACTERS = 2_000;

export interface ChildOptions {
  readonly name: string;
  readonly module: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /** Show what it logs on standard error too. */
  readonly verbose: boolean;
}

export class Child {
  readonly name: string;
  readonly ended: Promise<void>;
  readonly #process: ChildProcess;
  readonly #firstMessage: Promise<unknown>;
  #tail = "";
  #running = true;
  #stopped: Promise<void> | undefined;

  constructor(options: ChildOptions) {
    const { name, module, args, logFile, verbose } = options;
    this.name = name;
    const log = createWriteStream(logFile, { flags: "a" });
    // A process group of its own: Ctrl-C on the terminal reaches this process alone, which then stops the others.
    this.#process = fork(module, [...args], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: ["--disable-warning=ExperimentalWarning"],
      detached: true,
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        log.write(chunk);
        this.#tail = (this.#tail + chunk.toString("utf8")).slice(-MAX_TAIL_CHARACTERS);
        if (verbose) process.stderr.write(`${name}: ${chunk.toString("utf8")}`);
      });
    }
    this.ended = new Promise((resolve) => {
      this.#process.once("close", () => {
        this.#running = false;
        log.end();
        resolve();
      });
    });
    this.#firstMessage = firstMessage(this.#process);
    // Whoever awaits `ready` hears of a failure; a child that is stopped before that is nobody's failure.
    this.#firstMessage.catch(() => undefined);
  }

  get running(): boolean {
    return this.#running;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** What the process reports first, as `parse` reads it. @throws {OperatingError} `dev_process_failed` */
  async ready<T>(parse: (message: unknown) => T): Promise<T> {
    try {
      return parse(await this.#firstMessage);
    } catch (error) {
      this.kill();
      throw new OperatingError("dev_process_failed", { name: this.name, said: this.#tail.trim() }, error);
    }
  }

  /** SIGKILL: no last words, as when a machine is switched off. */
  kill(): void {
    if (this.#running) this.#process.kill("SIGKILL");
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
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
