/**
 * The node's log: JSON lines through pino, behind an interface small enough that every part of the node can be given
 * one in a test. The order of arguments is always message, context, error.
 */
import { pino } from "pino";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";
export type LogContext = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, context?: LogContext, error?: unknown): void;
  info(message: string, context?: LogContext, error?: unknown): void;
  warn(message: string, context?: LogContext, error?: unknown): void;
  error(message: string, context?: LogContext, error?: unknown): void;
  /** A logger whose every line also carries `context`. */
  child(context: LogContext): Logger;
}

export interface LoggerOptions {
  level?: LogLevel;
  /** Where lines go, standard output by default. */
  destination?: { write(line: string): void };
}

export function createLogger(options: LoggerOptions = {}): Logger {
  const settings = {
    level: options.level ?? "info",
    base: null,
    messageKey: "message",
    errorKey: "error",
    serializers: { error: pino.stdSerializers.errWithCause },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return wrap(options.destination ? pino(settings, options.destination) : pino(settings));
}

function wrap(target: pino.Logger): Logger {
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, context?: LogContext, error?: unknown): void => {
      if (!target.isLevelEnabled(level)) return;
      target[level]({ ...printable(context), ...(error === undefined ? {} : { error }) }, message);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (context) => wrap(target.child(printable(context))),
  };
}

/** Bytes are printed as hexadecimal and big integers as decimal text, so that a line can be searched for either. */
function printable(context: LogContext | undefined): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  if (!context) return out;
  for (const [name, value] of Object.entries(context)) {
    if (value instanceof Uint8Array) out[name] = Buffer.from(value).toString("hex");
    else out[name] = typeof value === "bigint" ? value.toString() : value;
  }
  return out;
}
