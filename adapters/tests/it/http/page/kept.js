import { again, find, forget, keep, kept, nameOf, note } from "/shop/kept.js";
import { equal, test } from "./harness.js";

const order = (nth, more = {}) => ({ order_id: `order-${nth}`, product: "Kite", quantity: 1, status: "success", seen_at: nth, ...more });
const ids = () => kept().map(({ order_id }) => order_id);

test("orders are kept by themselves, the oldest first, and told apart by their key or number", async () => {
  keep(order(2));
  keep({ key: "k", product: "Ark", quantity: 1, status: "sending", seen_at: 3 });
  keep(order(1));
  keep({ key: "k", order_id: "order-3", product: "Ark", quantity: 1, status: "pending", seen_at: 3 });
  equal(ids(), ["order-1", "order-2", "order-3"]);
  equal(again({ key: "k" }).status, "pending");
});

test("what another tab keeps is not overwritten", async () => {
  keep(order(1));
  localStorage.setItem("order.other", JSON.stringify({ ...order(2), key: "other" }));
  keep(order(1, { status: "failed" }));
  equal(ids(), ["order-1", "order-2"]);
});

test("what is kept and no order is passed over", async () => {
  for (const [name, text] of [["order.a", "{not json"], ["order.b", "null"], ["order.c", "{}"], ["language", "fr"]]) localStorage.setItem(name, text);
  equal(kept(), []);
});

test("of more than fifty the oldest that have ended go, and none that has not", async () => {
  keep(order(0, { status: "sending", key: "k", order_id: undefined }));
  for (let nth = 1; nth <= 52; nth += 1) keep(order(nth));
  equal([kept().length, kept()[0].key, kept()[1].order_id], [50, "k", "order-4"]);
});

test("an order is found by its number, and what is new of it noted where it is kept", async () => {
  keep(order(1, { key: "k", status: "pending" }));
  note({ order_id: "order-1", status: "success" });
  note({ order_id: "order-2", status: "success" });
  equal([find("order-1").status, find("order-1").key, find("order-2"), kept().length], ["success", "k", null, 1]);
  forget(find("order-1"));
  equal(kept(), []);
});

test("without room in the storage orders are kept as long as the page", async () => {
  const { setItem } = Storage.prototype;
  Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };
  try {
    keep(order(1));
  } finally {
    Storage.prototype.setItem = setItem;
  }
  equal([ids(), localStorage.length], [["order-1"], 0]);
  forget(order(1));
  equal(ids(), []);
});

test("an order is named by its product, with how many of it", async () => {
  equal([nameOf({ product: "Kite", quantity: 1 }), nameOf({ product: "Kite", quantity: 3 }), nameOf({})], ["Kite", "3 × Kite", ""]);
});
