// The orders that this browser keeps: on every page and in every tab, until they are forgotten.

const KEPT_AS = "orders";
const MOST = 50;

/** Returns an order's product, with how many of it. */
export const nameOf = (view) => (view.quantity > 1 ? `${view.quantity} × ${view.product}` : view.product ?? "");

/** Returns the orders, the oldest first. */
export function kept() {
  try {
    const views = JSON.parse(localStorage.getItem(KEPT_AS)) ?? [];
    return Array.isArray(views) ? views.filter((view) => typeof view?.order_id === "string") : [];
  } catch {
    return []; // Without storage there are none.
  }
}

/** Keeps these orders, the newest fifty of them. */
export function keep(views) {
  try {
    localStorage.setItem(KEPT_AS, JSON.stringify(views.slice(-MOST)));
  } catch {
    // Without storage they last as long as the page.
  }
}

/** Returns one order as it was seen last. */
export const find = (id) => kept().find((view) => view.order_id === id) ?? null;

/** Notes what is new of an order, if it is kept here. */
export function note(view) {
  const views = kept();
  const index = views.findIndex(({ order_id }) => order_id === view.order_id);
  if (index < 0) return;
  views[index] = { ...views[index], ...view };
  keep(views);
}
