/**
 * One engine child seen from the pool: starts it, asks it one thing at a time, and kills it when an answer takes too
 * long, is malformed, or when it grows beyond its memory.
 */
import { type ChildProcess, fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import { CHILD_PROGRAM, type ChildProgram, childArguments, childOptions } from "./child-options.ts";
import { EngineFault, type EngineFaultCode } from "./engine-fault.ts";
import { LAST_WORDS_MS, MEMORY_WATCH_MS, START_WALL_TIME_MS } from "./engine-limits.ts";
import { LastWords } from "./last-words.ts";
import { type FromChild, readMessage, type ToChild } from "./messages.ts";

/** /proc/<pid>/statm counts pages of this size on every Linux that Node 24 is built for by default. */
const SYSTEM_PAGE_BYTES = 4096;

interface Waiting {
  resolve(message: FromChild): void;
  reject(fault: EngineFault): void;
  readonly timer: NodeJS.Timeout;
  readonly watch: NodeJS.Timeout | undefined;
}

export class ChildHandle {
  /** Resolves when the child can take work; rejects with EngineFault when it never could. */
  readonly ready: Promise<void>;
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  readonly #process: ChildProcess;
  /** Whether Node is the only child of the process that was started, and not that process itself. */
  readonly #isWrapped: boolean;
  readonly #lastWords: LastWords;
  #waiting: Waiting | undefined;
  #dead: EngineFault | undefined;

  constructor(program: ChildProgram) {
    this.#isWrapped = program.sandbox?.kind === "bubblewrap";
    this.#process = fork(CHILD_PROGRAM, childArguments(program), childOptions(program));
    this.#lastWords = new LastWords(this.#process.stderr);
    const ready = this.#wait(START_WALL_TIME_MS);
    this.ready = ready.then((message) => {
      if (message.type !== "ready") throw this.#fail(new EngineFault("malformedAnswer", "no ready message"));
    });
    // Whoever uses the child awaits `ready`; a pool that is stopped before does not.
    this.ready.catch(() => undefined);
    this.exited = new Promise((resolve) => {
      this.#process.once("exit", () => resolve());
      this.#process.once("error", () => this.#process.pid === undefined && resolve());
    });
    this.#process.on("message", (value) => this.#onMessage(value));
    this.#process.once("error", (error) =>
      this.#fail(new EngineFault("childExited", "the engine child failed", error)),
    );
    this.#process.once("exit", (code, signal) => void this.#onExit(signal ?? `code ${code}`));
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get alive(): boolean {
    return this.#dead === undefined;
  }

  /**
   * Sends a message and waits for its answer; `late` is the code of the fault when that does not come in time.
   * @throws EngineFault; unless its code is engineFailure the child is dead afterwards.
   */
  async ask(
    message: ToChild,
    wallTimeMs: number,
    maxResidentBytes?: number,
    late: EngineFaultCode = "wallTime",
  ): Promise<FromChild> {
    if (this.#dead !== undefined) throw this.#dead;
    const answer = this.#wait(wallTimeMs, maxResidentBytes, late);
    this.#process.send(message, (error) => {
      if (error) this.#fail(new EngineFault("childExited", "the engine child takes no messages", error));
    });
    const received = await answer;
    if (received.type === "failed") throw new EngineFault("engineFailure", received.message);
    return received;
  }

  /** Ends the child at once; what it was asked rejects with this fault. */
  kill(fault: EngineFault): void {
    this.#fail(fault);
  }

  #wait(
    wallTimeMs: number,
    maxResidentBytes?: number | undefined,
    late: EngineFaultCode = "wallTime",
  ): Promise<FromChild> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(new EngineFault(late, `no answer within ${wallTimeMs} ms`));
      }, wallTimeMs);
      const watch =
        maxResidentBytes !== undefined && process.platform === "linux"
          ? setInterval(() => void this.#watchMemory(maxResidentBytes), MEMORY_WATCH_MS)
          : undefined;
      this.#waiting = { resolve, reject, timer, watch };
    });
  }

  #settle(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(waiting?.timer);
    clearInterval(waiting?.watch);
    return waiting;
  }

  #onMessage(value: unknown): void {
    const message = readMessage(value);
    if (message === undefined || this.#waiting === undefined) {
      this.#fail(new EngineFault("malformedAnswer", "the engine child said something that was not asked"));
      return;
    }
    this.#settle()?.resolve(message);
  }

  async #onExit(how: string): Promise<void> {
    this.#killGroup();
    if (this.#dead !== undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_WORDS_MS);
    });
    await Promise.race([this.#lastWords.complete, late]);
    clearTimeout(timer);
    const reason = this.#lastWords.reason();
    this.#fail(new EngineFault("childExited", `the engine child ended (${how})${reason ? `: ${reason}` : ""}`));
  }

  #fail(fault: EngineFault): EngineFault {
    if (this.#dead === undefined) {
      this.#dead = fault;
      const { exitCode, signalCode } = this.#process;
      // After its exit the process id may be another's.
      if (exitCode === null && signalCode === null) {
        this.#killGroup();
        this.#process.kill("SIGKILL");
      }
      // Whatever else holds the other ends must not keep this process alive.
      if (this.#process.connected) this.#process.disconnect();
      this.#process.stderr?.destroy();
      this.#settle()?.reject(fault);
    }
    return this.#dead;
  }

  /**
   * bubblewrap is two processes, and asks only late that the inner one ends with the outer one: killed before that, it
   * leaves behind a Node, or a process that waits for it for ever. So both stand in a group of their own
   * (child-options.ts), which the kernel ends as a whole.
   */
  #killGroup(): void {
    const { pid } = this.#process;
    if (!this.#isWrapped || pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Nobody is left in it.
    }
  }

  async #guestPid(): Promise<number | undefined> {
    if (!this.#isWrapped) return this.pid;
    const children = await readFile(`/proc/${this.pid}/task/${this.pid}/children`, "latin1").catch(() => "");
    const [child] = children.split(" ");
    return child ? Number(child) : undefined;
  }

  async #watchMemory(maxResidentBytes: number): Promise<void> {
    const statm = await readFile(`/proc/${await this.#guestPid()}/statm`, "latin1").catch(() => undefined);
    // A process that has just ended has no statm; its exit is reported by itself.
    const resident = Number(statm?.split(" ")[1] ?? 0) * SYSTEM_PAGE_BYTES;
    if (resident > maxResidentBytes) {
      this.#fail(new EngineFault("memory", `${resident} resident bytes, at most ${maxResidentBytes}`));
    }
  }
}
