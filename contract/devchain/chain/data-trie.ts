/**
 * How many nodes of nearcore's trie lead to a record of a contract. A write or a removal pays for each of them
 * (`touching_trie_node`), so the shape of the trie has to be known, not its hashes: a tree of nibbles in which a node
 * with children is a branch, behind an extension where they share more, and one without is a leaf
 * (nearcore core/store/src/trie).
 */

interface Node {
  /** Nibbles, one hexadecimal digit each, that everything below shares. */
  shared: string;
  /** A record ends here. */
  ends: boolean;
  readonly children: Map<string, Node>;
}

/** The root, and the branch over the columns: every account has a record in another column than this one. */
const NODES_ABOVE = 2;

const nibblesOf = (accountId: string, key: string) => Buffer.from(`${accountId},${key}`, "latin1").toString("hex");

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

const leaf = (shared: string): Node => ({ shared, ends: true, children: new Map() });

export interface TrieLookup {
  readonly nodes: number;
  readonly found: boolean;
}

export class DataTrie {
  #root: Node | undefined;

  /** What looking for a record touches, whether it is there or not. */
  lookup(accountId: string, key: string): TrieLookup {
    let rest = nibblesOf(accountId, key);
    let nodes = NODES_ABOVE;
    for (let node = this.#root; node !== undefined; ) {
      nodes++;
      if (node.children.size === 0) return { nodes, found: rest === node.shared };
      if (!rest.startsWith(node.shared)) return { nodes, found: false };
      if (node.shared !== "") nodes++; // the branch behind the extension
      rest = rest.slice(node.shared.length);
      if (rest === "") return { nodes, found: node.ends };
      const child: Node | undefined = node.children.get(rest[0]!);
      rest = rest.slice(1);
      node = child;
    }
    return { nodes, found: false };
  }

  insert(accountId: string, key: string): void {
    const nibbles = nibblesOf(accountId, key);
    if (this.#root === undefined) this.#root = leaf(nibbles);
    else insertBelow(this.#root, nibbles);
  }

  remove(accountId: string, key: string): void {
    if (this.#root === undefined) return;
    this.#root = removeBelow(this.#root, nibblesOf(accountId, key));
  }

  clear(): void {
    this.#root = undefined;
  }
}

/** Splits a node where a new record leaves what the node shares. */
function split(node: Node, length: number): void {
  const lower: Node = { shared: node.shared.slice(length + 1), ends: node.ends, children: new Map(node.children) };
  const nibble = node.shared[length]!;
  node.children.clear();
  node.children.set(nibble, lower);
  node.shared = node.shared.slice(0, length);
  node.ends = false;
}

function insertBelow(root: Node, nibbles: string): void {
  let rest = nibbles;
  for (let node = root; ; ) {
    const length = sharedLength(node.shared, rest);
    if (length < node.shared.length) split(node, length);
    rest = rest.slice(length);
    if (rest === "") {
      node.ends = true;
      return;
    }
    const child = node.children.get(rest[0]!);
    rest = rest.slice(1);
    if (child === undefined) {
      node.children.set(nibbles[nibbles.length - rest.length - 1]!, leaf(rest));
      return;
    }
    node = child;
  }
}

/** The node that is left, if any: a branch with one way on is none. */
function squashed(node: Node): Node | undefined {
  if (node.ends || node.children.size > 1) return node;
  const [only] = node.children;
  if (only === undefined) return undefined;
  const [nibble, child] = only;
  child.shared = node.shared + nibble + child.shared;
  return child;
}

function removeBelow(root: Node, nibbles: string): Node | undefined {
  const path: { node: Node; nibble: string }[] = [];
  let rest = nibbles;
  let node = root;
  for (;;) {
    if (!rest.startsWith(node.shared)) return root;
    rest = rest.slice(node.shared.length);
    if (rest === "") break;
    const nibble = rest[0]!;
    const child = node.children.get(nibble);
    if (child === undefined) return root;
    path.push({ node, nibble });
    rest = rest.slice(1);
    node = child;
  }
  node.ends = false;
  let kept = squashed(node);
  for (const { node: parent, nibble } of path.reverse()) {
    if (kept === undefined) parent.children.delete(nibble);
    else parent.children.set(nibble, kept);
    kept = squashed(parent);
  }
  return kept;
}
