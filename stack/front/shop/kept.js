// The orders that this browser keeps: on every page and in every tab, until they are forgotten. Each stands by itself in the
// storage, so that two tabs never overwrite what the other keeps.

const PREFIX = "order.";
const MOST = 50;
const ENDED = new Set(["success", "rejected", "failed", "cancelled", "refused"]);

const memory = new Map(); // where there is no storage: as long as the page

/** Returns what this browser calls an order: its idempotency key, or the number that the shop gave it. */
export const nameInStore = (view) => PREFIX + (view.key ?? view.order_id);
export const isOrder = (name) => name.startsWith(PREFIX);

/** Returns an order's product, with how many of it. */
export const nameOf = (view) => (view.quantity > 1 ? `${view.quantity} × ${view.product}` : view.product ?? "");

function read(text) {
  try {
    const view = JSON.parse(text);
    return typeof (view?.key ?? view?.order_id) === "string" ? view : null;
  } catch {
    return null; // somebody else's
  }
}

/** Returns the orders, the oldest first. */
export function kept() {
  const texts = new Map(memory);
  try {
    for (const name of Object.keys(localStorage)) if (isOrder(name)) texts.set(name, localStorage.getItem(name));
  } catch {
    // Without storage there is the memory.
  }
  return Array.from(texts.values(), read).filter(Boolean).sort((a, b) => (a.seen_at ?? 0) - (b.seen_at ?? 0));
}

/** Keeps an order. Of more than fifty the oldest that have ended go. */
export function keep(view) {
  const name = nameInStore(view);
  const text = JSON.stringify(view);
  try {
    localStorage.setItem(name, text);
    memory.delete(name);
  } catch {
    memory.set(name, text);
  }
  const all = kept();
  if (all.length > MOST) all.filter(({ status }) => ENDED.has(status)).slice(0, all.length - MOST).forEach(forget);
}

export function forget(view) {
  const name = nameInStore(view);
  memory.delete(name);
  try {
    localStorage.removeItem(name);
  } catch {
    // It was in the memory alone.
  }
}

/** Returns an order as it is kept, by what the browser calls it. */
export const again = (view) => kept().find((other) => nameInStore(other) === nameInStore(view)) ?? null;

/** Returns one order as it was seen last, by the shop's number. */
export const find = (id) => kept().find((view) => view.order_id === id) ?? null;

/** Notes what is new of an order, if it is kept here. */
export function note(view) {
  const known = find(view.order_id);
  if (known) keep({ ...known, ...view });
}
