/**
 * What the operations of a project cost, in the payment token: set by the owner as a whole, under `R` ‖ project id.
 * The caller names its operation in the input, so the price of a request is known when it is made.
 */
import { parseAccount } from "./accounts";
import { BorshReader, BorshWriter } from "./borsh";
import { decimal, EMPTY, same } from "./buffer";
import { check, panic, read, remove, returnBytes, write } from "./host";
import { callArguments, Json, parseJson } from "./json";
import { JsonWriter } from "./json-writer";
import { keyOf, StoredList } from "./keys";
import { INPUT_IN_EVENT_BYTES, MAX_NAME_BYTES, MAX_OPERATIONS, MAX_PAGE, MAX_PRICED_PROJECTS, MAX_PROJECT_ID_BYTES } from "./limits";
import { ownerAction } from "./owner";
import { Project } from "./projects";
import { State } from "./state";
import { utf8 } from "./text";
import { U128 } from "./u128";

const PRICING_PREFIX: u8 = 0x52;
const PRICED_KEY = "PRICED";
const FULL_SHARE: u64 = 10_000;

export class Price {
  author: Uint8Array = EMPTY;
  operation: Uint8Array = EMPTY;
  amount: U128 = new U128();
  shareBps: u16 = 0;
}

function pricesOf(projectId: Uint8Array): Price[] | null {
  const bytes = read(keyOf(PRICING_PREFIX, projectId));
  if (!bytes) return null;
  const r = new BorshReader(bytes), prices: Price[] = [], author = r.bytes();
  for (let count = r.u32(); count > 0; count--) {
    const price = new Price();
    price.author = author;
    price.operation = r.bytes();
    price.amount = r.u128();
    price.shareBps = r.u16();
    prices.push(price);
  }
  return prices;
}

/** The price of what `input` asks of the project; null where the project has none. */
export function priceOf(projectId: Uint8Array, input: Uint8Array): Price | null {
  const prices = pricesOf(projectId);
  if (!prices) return null;
  check(input.length < INPUT_IN_EVENT_BYTES, "InputTooLong: the input of a priced project is below 10,000 bytes");
  const operation = parseJson(input).object().required("operation").text(MAX_NAME_BYTES);
  for (let i = 0; i < prices.length; i++) if (same(prices[i].operation, operation)) return prices[i];
  panic("NoSuchOperation: the project has no price for this operation");
  return null;
}

function parsePrices(value: Json): Price[] {
  const pricing = value.object();
  const author = parseAccount(pricing.required("author_account_id"));
  const operations = pricing.required("operations").elements(MAX_OPERATIONS);
  check(operations.length > 0, "NoOperations: use remove_project_pricing to unprice a project");
  const prices: Price[] = [];
  for (let i = 0; i < operations.length; i++) {
    const fields = operations[i].object(), price = new Price();
    price.author = author;
    price.operation = fields.required("operation").text(MAX_NAME_BYTES);
    price.amount = fields.required("price_usd").amount();
    price.shareBps = <u16>fields.required("developer_share_bp").upTo(FULL_SHARE);
    for (let j = 0; j < i; j++) check(!same(prices[j].operation, price.operation), "DuplicateOperation: priced twice");
    prices.push(price);
  }
  return prices;
}

export function set_project_pricing(): void {
  const state = State.load();
  const fields = ownerAction(state, "set_project_pricing");
  if (!fields) return;
  const projectId = Project.load(fields.required("project_id").text(MAX_PROJECT_ID_BYTES)).id();
  const prices = parsePrices(fields.required("pricing"));
  const w = new BorshWriter(1_024);
  w.bytes(prices[0].author);
  w.u32(prices.length);
  for (let i = 0; i < prices.length; i++) {
    w.bytes(prices[i].operation);
    w.u128(prices[i].amount);
    w.u16(prices[i].shareBps);
  }
  if (!write(keyOf(PRICING_PREFIX, projectId), w.done())) pricedProjects().add(projectId);
  state.assertSolvent();
}

function pricedProjects(): StoredList { return new StoredList(utf8(PRICED_KEY), MAX_PRICED_PROJECTS); }

/** Also where the project itself goes, so that a later one of its name is not priced. */
export function unprice(projectId: Uint8Array): bool {
  if (!remove(keyOf(PRICING_PREFIX, projectId))) return false;
  pricedProjects().take(projectId);
  return true;
}

export function remove_project_pricing(): void {
  const fields = ownerAction(State.load(), "remove_project_pricing");
  if (fields) check(unprice(fields.required("project_id").text(MAX_PROJECT_ID_BYTES)), "NotPriced: the project has no price");
}

export function get_project_pricing(): void {
  const prices = pricesOf(callArguments().required("project_id").text(MAX_PROJECT_ID_BYTES));
  const out = new JsonWriter();
  if (!prices) out.literal("null");
  else {
    out.open();
    out.textField("author_account_id", prices[0].author);
    out.listField("operations");
    for (let i = 0; i < prices.length; i++) {
      out.open();
      out.textField("operation", prices[i].operation);
      out.amountField("price_usd", prices[i].amount);
      out.numberField("developer_share_bp", prices[i].shareBps);
      out.close();
    }
    out.literal("]}");
  }
  returnBytes(out.done());
}

export function get_project_max_price(): void {
  const prices = pricesOf(callArguments().required("project_id").text(MAX_PROJECT_ID_BYTES));
  let most = new U128();
  if (prices) for (let i = 0; i < prices.length; i++) if (most.lessThan(prices[i].amount)) most = prices[i].amount;
  const out = new JsonWriter();
  out.amount(most);
  returnBytes(out.done());
}

export function get_priced_projects(): void {
  const fields = callArguments(), items = pricedProjects().items;
  const out = new JsonWriter();
  out.textPage(items, fields.u64Or("from_index", 0), min<u64>(fields.u64Or("limit", MAX_PAGE), MAX_PAGE));
  returnBytes(out.done());
}

export function get_priced_project_count(): void {
  returnBytes(decimal(pricedProjects().items.length));
}
