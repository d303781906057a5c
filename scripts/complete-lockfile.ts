/**
 * Completes package-lock.json with the optional packages of other platforms: `node scripts/complete-lockfile.ts`,
 * after every change of a dependency. A registry mirror that does not carry them makes npm leave them out, and
 * `npm ci` then refuses the lockfile everywhere, although they would never be installed where it was written.
 * What is added has name, version and platform and no integrity hash: npm checks it against the registry alone.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface LockEntry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  link?: boolean;
  optionalDependencies?: Record<string, string>;
}

interface Lockfile {
  packages: Record<string, LockEntry>;
}

const PLATFORMS: readonly (readonly [pattern: RegExp, os: string])[] = [
  [/android/, "android"],
  [/darwin/, "darwin"],
  [/freebsd/, "freebsd"],
  [/openbsd/, "openbsd"],
  [/netbsd/, "netbsd"],
  [/openharmony|ohos/, "openharmony"],
  [/sunos/, "sunos"],
  [/aix/, "aix"],
  [/win32|windows|(^|[-/])win(?=[-_])/, "win32"],
  [/linux/, "linux"],
];
const PROCESSORS: readonly (readonly [pattern: RegExp, cpu: string])[] = [
  [/arm64|aarch64/, "arm64"],
  [/armv?\d?|arm-/, "arm"],
  [/x64|x86_64/, "x64"],
  [/ia32|i686/, "ia32"],
  [/ppc64|powerpc64/, "ppc64"],
  [/riscv64/, "riscv64"],
  [/s390x/, "s390x"],
  [/loong64|loongarch64/, "loong64"],
  [/mips64el/, "mips64el"],
  [/wasm32/, "wasm32"],
];

const path = join(import.meta.dirname, "../package-lock.json");
const lockfile = JSON.parse(readFileSync(path, "utf8")) as Lockfile;
const { packages } = lockfile;
let added = 0;
for (const [owner, entry] of Object.entries(packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(owner, name)) continue;
    const version = /\d+\.\d+\.\d+[\w.+-]*/.exec(range)?.[0];
    const os = PLATFORMS.find(([pattern]) => pattern.test(name))?.[1];
    const cpu = PROCESSORS.find(([pattern]) => pattern.test(name))?.[1];
    if (version === undefined || (os === undefined && cpu === undefined)) {
      throw new Error(`${owner} names ${name}@${range}, which is not a platform's package and is not locked`);
    }
    packages[`node_modules/${name}`] = {
      version,
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(entry.dev ? { dev: true } : {}),
      ...(os === "linux" && /musl/.test(name) ? { libc: ["musl"] } : {}),
      optional: true,
      ...(os ? { os: [os] } : {}),
    };
    added++;
  }
}
lockfile.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lockfile, null, 2)}\n`);
console.log(`${added} packages of other platforms added`);

/** Whether a dependency of `owner` is found in its own folder or in one above it. */
function isLocked(owner: string, name: string): boolean {
  for (let at = owner; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    if (packages[`${at ? `${at}/` : ""}node_modules/${name}`]) return true;
    if (at === "") return false;
    if (!at.includes("/node_modules/")) return packages[`node_modules/${name}`] !== undefined;
  }
}
