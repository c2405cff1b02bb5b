import { forget, keep, kept, nameInStore } from "/shop/kept.js";
import { Orders } from "/shop/orders.js";
import { speak } from "/shop/words.js";
import { $, Stream, equal, hurry, json, shop, submit, test, texts, type, until } from "./harness.js";

const accepted = (id) => ({ order_id: id, status: "pending", accepted_at: "2026-11-25T20:00:00Z" });
const ended = (id, status = "success") => ({ ...accepted(id), status, finished_at: "2026-11-25T20:00:01.500Z" });

function order(product, quantity = 1) {
  type("#order-product", product);
  type("#order-quantity", String(quantity));
  submit("#order-form");
}

const KEY = /^[0-9a-f-]{36}$/;
const streams = () => Stream.open.map(({ path }) => path);

test("an order is kept and shown before it is sent, and then followed to its end", async () => {
  let sent;
  const asked = shop(() => new Promise((resolve) => { sent = () => resolve(json(202, accepted("one"))); }));
  new Orders();
  order("Train", 3);
  await until("the request", () => asked.length === 1);
  const [{ key, status }] = kept();
  equal([asked[0].path, asked[0].body, asked[0].headers["Idempotency-Key"]], ["/api/orders", { product: "Train", quantity: 3 }, key]);
  equal([KEY.test(key), status, texts("#orders .what"), texts("#orders .status")], [true, "sending", ["3 × Train"], ["Being sent"]]);
  equal([$("#orders .cancel").hidden, $("#orders .page").hidden, $("#orders-empty").hidden], [true, true, true]);
  sent();
  await until("the stream", () => Stream.open.length === 1);
  equal([streams(), texts("#orders .status"), kept()[0].order_id], [["/api/events?ids=one"], ["Received"], "one"]);
  equal([$("#orders .page").getAttribute("href"), $("#orders .page").getAttribute("aria-label")], ["/orders/one", "Its page: 3 × Train"]);
  Stream.open[0].says(ended("one"));
  equal([texts("#orders .status"), texts("#orders .took")], [["Ready to be made"], ["took 1.5 s"]]);
  equal([$("#announcer").textContent, kept()[0].status], ["3 × Train: Ready to be made.", "success"]);
  await until("the end", () => Stream.open.length === 0);
});

test("the first final status wins", async () => {
  shop(() => json(202, accepted("one")));
  new Orders();
  order("Train");
  await until("the stream", () => Stream.open.length === 1);
  const [stream] = Stream.open;
  stream.says({ ...ended("one", "rejected"), reason: "no such wood" });
  stream.says(ended("one"));
  equal([texts("#orders .status"), texts("#orders .reason")], [["Not possible"], ["no such wood"]]);
});

test("why an order failed is not for shoppers", async () => {
  shop(() => json(202, accepted("one")));
  new Orders();
  order("Train");
  await until("the stream", () => Stream.open.length === 1);
  Stream.open[0].says({ ...ended("one", "failed"), reason: "thread 7 panicked" });
  equal([texts("#orders .status"), $("#orders .reason").hidden], [["Held up"], true]);
});

test("a pending order can be cancelled", async () => {
  const asked = shop(({ method }) => (method === "POST" ? json(202, accepted("one")) : json(200, ended("one", "cancelled"))));
  new Orders();
  order("Train", 3);
  await until("the stream", () => Stream.open.length === 1);
  const button = $("#orders .cancel");
  equal([button.hidden, button.getAttribute("aria-label")], [false, "Cancel 3 × Train"]);
  button.focus();
  button.click();
  await until("the answer", () => texts("#orders .status")[0] === "Cancelled");
  equal([asked[1].method, asked[1].path, button.hidden], ["DELETE", "/api/orders/one", true]);
  equal([document.activeElement.className, $("#announcer").textContent], ["page", "3 × Train: Cancelled."]);
});

test("an order that ended before it was cancelled shows how", async () => {
  shop(({ method }) => {
    if (method === "POST") return json(202, accepted("one"));
    return method === "DELETE" ? json(409, { title: "Already ended" }) : json(200, ended("one"));
  });
  new Orders();
  order("Train");
  await until("the stream", () => Stream.open.length === 1);
  $("#orders .cancel").click();
  await until("the end", () => texts("#orders .status")[0] === "Ready to be made");
  equal($("#orders .cancel").hidden, true);
});

test("an order that cannot be cancelled now can be asked for again", async () => {
  shop(({ method }) => (method === "POST" ? json(202, accepted("one")) : json(503, { title: "Unavailable" })));
  new Orders();
  order("Train");
  await until("the stream", () => Stream.open.length === 1);
  const button = $("#orders .cancel");
  button.click();
  await until("the answer", () => !button.hasAttribute("aria-disabled"));
  equal([button.hidden, texts("#orders .status"), $("#announcer").textContent], [false, ["Received"], "Train was not cancelled. The shop cannot do this at the moment."]);
});

test("an order without an answer waits in its row, and is one order when the shop is back", async () => {
  hurry();
  let isThere = false;
  const asked = shop(() => {
    if (!isThere) throw new TypeError("gone");
    return json(202, accepted("one"));
  });
  new Orders();
  order("Train");
  await until("the wait", () => /^No answer from the shop\. The order is kept in this browser\. Trying again in \d+ s\.$/.test(texts("#orders .reason")[0]));
  isThere = true;
  await until("the answer", () => texts("#orders .status")[0] === "Received");
  equal([new Set(asked.map(({ headers }) => headers["Idempotency-Key"])).size, texts("#orders .what"), $("#orders .reason").hidden], [1, ["Train"], true]);
});

test("the limit is shown kindly, with a countdown", async () => {
  hurry();
  const limit = { error: "Rate limit exceeded", message: "Too many requests", status: 503 };
  const seen = [];
  new MutationObserver(() => seen.push(texts("#orders .reason")[0])).observe($("#orders"), { subtree: true, childList: true, characterData: true });
  shop((_, nth) => (nth === 1 ? json(503, limit, { "Retry-After": "3" }) : json(202, accepted("one"))));
  new Orders();
  order("Train");
  await until("the answer", () => texts("#orders .status")[0] === "Received");
  const countdown = [3, 2, 1].map((n) => `That was a little fast for the workshop. The order is kept in this browser. Trying again in ${n} s.`);
  equal(seen.filter((text, nth) => /fast/.test(text) && seen[nth - 1] !== text), countdown);
});

test("an order that the shop refuses says why, in the language that is spoken, and holds up no other", async () => {
  const type = "urn:woodytoys:problem:invalid-value";
  shop((_, nth) => (nth === 1 ? json(422, { type, detail: "no", field: "product" }) : json(202, accepted("two"))));
  new Orders();
  order("Train");
  await until("the refusal", () => texts("#orders .status")[0] === "Not taken");
  order("Kite");
  await until("the second", () => texts("#orders .status")[0] === "Received");
  equal([texts("#orders .status"), texts("#orders .reason")[1]], [["Received", "Not taken"], "1 to 200 characters, please, on one line."]);
  speak("fr");
  equal([texts("#orders .status")[1], texts("#orders .reason")[1]], ["Non prise", "De 1 à 200 caractères, s’il vous plaît, sur une ligne."]);
  equal(kept().map(({ status }) => status), ["refused", "pending"]);
});

test("what cannot be an order is not sent, and says so beside its field", async () => {
  const asked = shop(() => json(202, accepted("one")));
  new Orders();
  for (const [product, quantity, field] of [["", "1", "product"], ["x".repeat(201), "1", "product"], ["Train", "", "quantity"], ["Train", "1001", "quantity"], ["Train", "1.5", "quantity"]]) {
    order(product, quantity);
    await until(field, () => $("#order-form [aria-invalid]")?.name === field);
    type(`#order-${field}`, "1");
  }
  equal([asked.length, kept().length], [0, 0]);
});

test("each submit is an order of its own, with a key of its own", async () => {
  let nth = 0;
  const asked = shop(() => json(202, accepted(`order-${(nth += 1)}`)));
  new Orders();
  order("Train");
  await until("the first", () => asked.length === 1);
  order("Train");
  await until("the second", () => asked.length === 2);
  equal([asked[0].headers["Idempotency-Key"] === asked[1].headers["Idempotency-Key"], texts("#orders .what")], [false, ["Train", "Train"]]);
  await until("their stream", () => streams()[0] === "/api/events?ids=order-1,order-2");
});

test("twelve orders that are pending are one stream and no question", async () => {
  const views = Array.from({ length: 12 }, (_, nth) => ({ ...accepted(`order-${nth}`), product: `Toy ${nth}`, quantity: 1, seen_at: nth }));
  views.forEach(keep);
  const asked = shop(() => json(200, {}));
  new Orders().restore();
  await until("the stream", () => Stream.open.length > 0);
  equal([streams(), asked.length], [[`/api/events?ids=${views.map(({ order_id }) => order_id).join(",")}`], 0]);
});

test("an order that the shop does not know is told as missing", async () => {
  hurry();
  window.EventSource = undefined;
  const asked = shop(({ method }) => (method === "POST" ? json(202, accepted("one")) : json(404, { title: "No such order" })));
  new Orders();
  order("Train");
  await until("the end", () => texts("#orders .reason")[0]);
  equal([texts("#orders .reason"), asked.length], [["The shop does not know this order."], 13]);
});

test("orders of this browser are there again: those not sent are sent under their key, those that are pending are followed", async () => {
  keep({ ...accepted("old"), product: "Kite", quantity: 1, seen_at: 1 });
  keep({ ...ended("done"), product: "Boat", quantity: 1, seen_at: 2 });
  keep({ key: "left-by-a-reload", product: "Ark", quantity: 2, status: "sending", seen_at: 3 });
  const asked = shop(() => json(202, accepted("new")));
  new Orders().restore();
  equal(texts("#orders .what"), ["2 × Ark", "Boat", "Kite"]);
  await until("the stream", () => streams()[0] === "/api/events?ids=old,new");
  equal([asked.length, asked[0].headers["Idempotency-Key"], asked[0].body], [1, "left-by-a-reload", { product: "Ark", quantity: 2 }]);
});

test("what another tab does shows here", async () => {
  const other = { key: "k", product: "Ark", quantity: 1, status: "pending", order_id: "one", seen_at: 1 };
  const tell = (view, text) => window.dispatchEvent(new StorageEvent("storage", { key: nameInStore(view), newValue: text }));
  new Orders();
  keep(other);
  tell(other, JSON.stringify(other));
  await until("the stream", () => streams()[0] === "/api/events?ids=one");
  keep({ ...other, ...ended("one") });
  tell(other, JSON.stringify(other));
  equal(texts("#orders .status"), ["Ready to be made"]);
  forget(other);
  tell(other, null);
  equal([texts("#orders .what"), $("#orders-empty").hidden], [[], false]);
  window.dispatchEvent(new StorageEvent("storage", { key: "language", newValue: "fr" }));
});

test("an order that another tab is sending is left to it, but not for ever", async () => {
  hurry();
  const other = { key: "k", product: "Ark", quantity: 1, status: "sending", seen_at: Date.now() };
  const tell = (view) => window.dispatchEvent(new StorageEvent("storage", { key: nameInStore(view), newValue: JSON.stringify(view) }));
  const asked = shop(() => json(202, accepted("one")));
  const ticks = [];
  window.setInterval = (tick) => ticks.push(tick);
  new Orders();
  keep(other);
  tell(other);
  ticks.forEach((tick) => tick());
  equal([texts("#orders .status"), asked.length], [["Being sent"], 0]);
  const left = { ...other, seen_at: Date.now() - 60000 };
  keep(left);
  tell(left);
  ticks.forEach((tick) => tick());
  await until("the answer", () => texts("#orders .status")[0] === "Received");
  equal(asked.map(({ headers }) => headers["Idempotency-Key"]), ["k"]);
});

test("orders are forgotten, but for those that the shop may not have", async () => {
  keep({ ...ended("done"), product: "Boat", quantity: 1, seen_at: 1 });
  keep({ ...accepted("old"), product: "Kite", quantity: 1, seen_at: 2 });
  keep({ key: "k", product: "Ark", quantity: 1, status: "sending", seen_at: 3 });
  shop(() => new Promise(() => {}));
  new Orders().restore();
  await until("the stream", () => Stream.open.length === 1);
  equal($("#forget").hidden, false);
  $("#forget").click();
  equal([texts("#orders .what"), kept().map(({ product }) => product)], [["Ark"], ["Ark"]]);
  equal([$("#announcer").textContent, document.activeElement.id], ["This browser has forgotten your orders. The shop has not.", "order-product"]);
  await until("the end", () => Stream.open.length === 0);
});

test("the list keeps the newest fifty", async () => {
  for (let nth = 0; nth < 51; nth += 1) keep({ ...ended(`order-${nth}`), product: `Toy ${nth}`, quantity: 1, seen_at: nth });
  new Orders().restore();
  const shown = texts("#orders .what");
  equal([shown.length, shown[0], shown.at(-1)], [50, "Toy 50", "Toy 1"]);
});

test("markup in a name stays text", async () => {
  shop(() => json(202, accepted("one")));
  new Orders();
  order("<img src=x>");
  await until("the answer", () => texts("#orders .status")[0] === "Received");
  equal([texts("#orders .what"), $("#orders .what img")], [["<img src=x>"], null]);
});

test("a product that is offered waits for its quantity", async () => {
  new Orders().offer("Kite");
  equal([$("#order-product").value, document.activeElement.id], ["Kite", "order-quantity"]);
  new Orders().offer("Boat", "3");
  equal([$("#order-product").value, $("#order-quantity").value], ["Boat", "3"]);
});
