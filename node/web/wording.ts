/** Figures and names as people read them. */

const GROUPED = new Intl.NumberFormat("en");
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const YOCTO_PER_MICRO_NEAR = 10n ** 18n;

export function grouped(figure: number | string): string {
  if (typeof figure === "number") return GROUPED.format(figure);
  return /^\d{1,40}$/.test(figure) ? GROUPED.format(BigInt(figure)) : figure;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

export function clockTime(atMs: number): string {
  return CLOCK.format(atMs);
}

/** A name of the machine's in words: `claimSent` is "claim sent". */
export function inWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** `+0.4 s`, `+12 s`, `+3 min`. */
export function elapsed(ms: number): string {
  if (ms < 10_000) return `+${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `+${Math.round(ms / 1_000)} s`;
  return `+${Math.round(ms / 60_000)} min`;
}

/** `4 min`, `3 h 12 min`, `5 d 2 h`. */
export function duration(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 1) return "under a minute";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** To a millionth of a NEAR. */
export function near(yocto: string): string {
  if (!/^\d{1,40}$/.test(yocto)) return yocto;
  const micro = BigInt(yocto) / YOCTO_PER_MICRO_NEAR;
  if (micro === 0n && BigInt(yocto) > 0n) return "under 0.000001 NEAR";
  const fraction = (micro % 1_000_000n).toString().padStart(6, "0").replace(/0+$/, "");
  return `${GROUPED.format(micro / 1_000_000n)}${fraction ? `.${fraction}` : ""} NEAR`;
}

/** What a guest answered, on one line. */
export function preview(output: unknown, maxCharacters = 160): string {
  const text = typeof output === "string" ? output : JSON.stringify(output);
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
}
