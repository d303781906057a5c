/**
 * The chain as a process: `node main.ts --help` says how. Prints one JSON line, `{"url":…}`, when it listens, and
 * sends the same over IPC when it was forked. Ends on SIGTERM and SIGINT, and when the process that forked it goes away.
 */
import { DevChainCommandError, runDevChainCommand } from "./command.ts";

try {
  await runDevChainCommand(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof DevChainCommandError)) throw error;
  console.error(`${error.message}\n--help says what is taken.`);
  process.exit(2);
}
