/**
 * The documents name files and link to each other; both break silently when something moves. Every relative link of
 * every Markdown file has to lead somewhere, with its heading, and every path of this repository that stands in
 * backticks has to exist.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const ROOT = resolve(import.meta.dirname, "../..");
const FENCED = /^(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1[^\n]*$/gm;
const LINK = /!?\[[^\]]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g;
const CODE = /`([^`\n]+)`/g;
/** A path from the root of the repository: one of its folders, then names. What is built is not always there. */
const REPOSITORY_PATH = /^(?:protocol|contract|node|sim|wasi-examples|scripts|docs|\.ci)\/[\w./*{},-]+$/;
const BUILT = /\/(?:dist|node_modules)(?:\/|$)/;
const EXTERNAL = /^[a-z][a-z0-9+.-]*:/i;

interface Place {
  readonly text: string;
  /** The file's folder, from which its relative links lead. */
  readonly folder: string;
}

/** The anchors that GitHub gives to a document's headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading] of text.replace(FENCED, "").matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const plain = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

function brokenLinks({ text, folder }: Place): string[] {
  const broken: string[] = [];
  for (const [, target] of text.replace(FENCED, "").replace(CODE, "").matchAll(LINK)) {
    if (EXTERNAL.test(target!)) continue;
    const [path = "", anchor] = decodeURI(target!).split("#");
    const file = path === "" ? undefined : join(folder, path);
    if (file !== undefined && !existsSync(file)) broken.push(target!);
    else if (anchor !== undefined && (file === undefined || file.endsWith(".md"))) {
      const linked = file === undefined ? text : readFileSync(file, "utf8");
      if (!anchorsOf(linked).has(anchor)) broken.push(target!);
    }
  }
  return broken;
}

function missingPaths({ text }: Place): string[] {
  const missing: string[] = [];
  for (const [, code] of text.replace(FENCED, "").matchAll(CODE)) {
    if (!REPOSITORY_PATH.test(code!) || BUILT.test(code!)) continue;
    const found = /[*{]/.test(code!) ? globSync(code!, { cwd: ROOT }).length > 0 : existsSync(join(ROOT, code!));
    if (!found) missing.push(code!);
  }
  return missing;
}

const documents = globSync("{*,*/**/*,.ci/**/*}.md", {
  cwd: ROOT,
  exclude: (path) => path.split("/").some((name) => name === "node_modules" || name === "dist"),
}).sort();

for (const document of documents) {
  const file = join(ROOT, document);
  const place = { text: readFileSync(file, "utf8"), folder: dirname(file) };

  test(`${document}: every relative link leads somewhere`, () => {
    assert.equal(brokenLinks(place), []);
  });

  test(`${document}: every path of the repository that it names exists`, () => {
    assert.equal(missingPaths(place), []);
  });
}

test("the documents of the project are among those that are checked", () => {
  for (const name of ["ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "docs/spec/worker.md"]) {
    assert.ok(documents.includes(name), name);
  }
});

test("a broken link, a missing heading and a missing file are found, and what is right is not", () => {
  const folder = import.meta.dirname;
  const here = relative(folder, import.meta.filename);
  const links = `# One heading\n[a](${here}) [b](no-such.md) [c](#one-heading) [d](#other) [e](https://example.org/x)`;
  assert.equal(brokenLinks({ text: links, folder }), ["no-such.md", "#other"]);
  const fenced = "```\n[a](no-such.md) `scripts/no-such.ts`\n```\n";
  assert.equal(brokenLinks({ text: fenced, folder }), []);
  assert.equal(missingPaths({ text: fenced, folder }), []);
  const paths = "`scripts/test.ts` `scripts/no-such.ts` `scripts/*.mjs` `node/dist/web` `node --version` `sim/*.rs`";
  assert.equal(missingPaths({ text: paths, folder }), ["scripts/no-such.ts", "sim/*.rs"]);
});

test.run();
