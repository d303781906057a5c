/**
 * What stands in the place of AssemblyScript's `rt/stub` (`build.ts`): objects one after another, never freed, since
 * every call is an instance of its own. Before an object stand its class and its size, which its library reads, and
 * nothing else; nothing is aligned, since WebAssembly does not ask for it.
 */
const HEADER_BYTES: usize = 8;
const MAX_OBJECT_BYTES: usize = 1 << 30;

@lazy let offset: usize = __heap_base;
/** Up to where memory is known to be there. */
@lazy let available: usize = 0;

// @ts-ignore: decorator
@unsafe @global
export function __new(size: usize, id: u32): usize {
  if (size > MAX_OBJECT_BYTES) unreachable();
  const object = offset + HEADER_BYTES;
  offset = object + size;
  if (offset > available) grow();
  store<u32>(object - 8, id);
  store<u32>(object - 4, <u32>size);
  return object;
}

/** At least doubled, so that growing is rare. */
function grow(): void {
  available = <usize>memory.size() << 16;
  if (offset <= available) return;
  const pages = <i32>((offset - available + 0xffff) >>> 16);
  if (memory.grow(max(pages, memory.size())) < 0 && memory.grow(pages) < 0) unreachable();
  available = <usize>memory.size() << 16;
}

// @ts-ignore: decorator
@unsafe @global
export function __renew(before: usize, size: usize): usize {
  const object = __new(size, load<u32>(before - 8));
  memory.copy(object, before, min<usize>(size, load<u32>(before - 4)));
  return object;
}

// @ts-ignore: decorator
@unsafe @global
export function __link(parent: usize, child: usize, expectMultiple: bool): void {}

// @ts-ignore: decorator
@unsafe @global
export function __pin(object: usize): usize { return object; }

// @ts-ignore: decorator
@unsafe @global
export function __unpin(object: usize): void {}

// @ts-ignore: decorator
@unsafe @global
function __visit(object: usize, cookie: u32): void {}

// @ts-ignore: decorator
@unsafe @global
export function __collect(): void {}
