import { Orders } from "/shop/orders.js";
import { $, Stream, equal, hurry, json, shop, submit, test, texts, type, until } from "./harness.js";

const accepted = (id) => ({ order_id: id, status: "pending", accepted_at: "2026-11-25T20:00:00Z" });
const ended = (id, status = "success") => ({ ...accepted(id), status, finished_at: "2026-11-25T20:00:01.500Z" });

function order(product, quantity = 1) {
  type("#order-product", product);
  type("#order-quantity", String(quantity));
  submit("#order-form");
}

const idle = () => until("the form", () => !$("#order-form [type=submit]").hasAttribute("aria-disabled"));

test("an order shows its status as the events tell it", async () => {
  const asked = shop(() => json(202, accepted("one")));
  new Orders();
  order("Train", 3);
  await until("the stream", () => Stream.open.length === 1);
  equal([asked[0].path, asked[0].body, Stream.open[0].path], ["/api/orders", { product: "Train", quantity: 3 }, "/api/orders/one/events"]);
  equal([texts("#orders .what"), texts("#orders .status"), $("#orders-empty").hidden], [["3 × Train"], ["Pending"], true]);
  Stream.open[0].says(ended("one"));
  equal([texts("#orders .status"), texts("#orders .took")], [["Success"], ["took 1.5 s"]]);
  equal(Stream.open.length, 0, "streams after the last event");
  equal($("#announcer").textContent, "3 × Train: Success.");
  equal([$("#orders .id").getAttribute("href"), $("#orders .id").getAttribute("aria-label")], ["/orders/one", "Page of the order of 3 × Train, one"]);
});

test("the first final status wins", async () => {
  shop(() => json(202, accepted("one")));
  new Orders();
  order("Train");
  await until("the stream", () => Stream.open.length === 1);
  const [stream] = Stream.open;
  stream.says({ ...ended("one", "rejected"), reason: "no such wood" });
  stream.says(ended("one"));
  equal([texts("#orders .status"), texts("#orders .reason")], [["Rejected"], ["no such wood"]]);
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
  equal([document.activeElement.className, $("#announcer").textContent], ["id", "3 × Train: Cancelled."]);
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
  await until("the end", () => texts("#orders .status")[0] === "Success");
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
  equal([button.hidden, texts("#orders .status"), $("#announcer").textContent], [false, ["Pending"], "Train was not cancelled. Unavailable."]);
});

test("an order that nobody answered is sent again with its key, a refused one with another", async () => {
  const asked = shop((_, nth) => {
    if (nth === 1) throw new TypeError("gone");
    return nth === 2 ? json(422, { title: "No" }) : json(202, accepted("one"));
  });
  new Orders();
  for (let nth = 0; nth < 3; nth += 1) {
    order("Train");
    await idle();
  }
  const [first, second, third] = asked.map(({ headers }) => headers["Idempotency-Key"]);
  equal([first === second, second === third], [true, false]);
  equal(/^[0-9a-f-]{36}$/.test(first), true, first);
});

test("another order has another key, though nobody answered the last", async () => {
  const asked = shop(() => { throw new TypeError("gone"); });
  new Orders();
  order("Train");
  await idle();
  order("Train", 2);
  await idle();
  equal(asked[0].headers["Idempotency-Key"] === asked[1].headers["Idempotency-Key"], false);
});

test("an order that the shop knows already is one row", async () => {
  shop(() => json(202, accepted("one")));
  new Orders();
  order("Train");
  await idle();
  order("Train");
  await idle();
  equal(texts("#orders .what"), ["Train"]);
});

test("a stream that keeps failing gives way to asking", async () => {
  hurry();
  shop(({ method }) => json(200, method === "POST" ? accepted("one") : ended("one", "failed")));
  new Orders();
  order("Train");
  await until("the stream", () => Stream.open.length === 1);
  const [stream] = Stream.open;
  for (let failure = 0; failure < 3; failure += 1) stream.dispatchEvent(new Event("error"));
  await until("the answer", () => texts("#orders .status")[0] === "Failed");
  equal(Stream.open.length, 0);
});

test("three orders are followed by events, the others by asking", async () => {
  hurry();
  let placed = 0;
  const asked = shop(({ method }) => json(200, method === "POST" ? accepted(`order-${(placed += 1)}`) : ended("order-4")));
  new Orders();
  for (let nth = 0; nth < 4; nth += 1) {
    order(`Toy ${nth}`);
    await idle();
  }
  await until("the fourth", () => texts("#orders .status")[0] === "Success");
  equal([Stream.open.length, asked.at(-1).path], [3, "/api/orders/order-4"]);
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

test("orders of this browser are there again, and those that are pending are followed", async () => {
  hurry();
  localStorage.setItem("orders", JSON.stringify([{ ...accepted("old"), product: "Kite", quantity: 1 }, { ...ended("done"), product: "Boat", quantity: 1 }]));
  const orders = new Orders();
  await orders.restore();
  equal([texts("#orders .what"), Stream.open.map(({ path }) => path)], [["Boat", "Kite"], ["/api/orders/old/events"]]);
});

test("what is kept and no list is forgotten", async () => {
  localStorage.setItem("orders", "{not json");
  await new Orders().restore();
  equal(texts("#orders .what"), []);
});

test("the list keeps the newest fifty", async () => {
  const views = Array.from({ length: 51 }, (_, nth) => ({ ...ended(`order-${nth}`), product: `Toy ${nth}`, quantity: 1 }));
  localStorage.setItem("orders", JSON.stringify(views));
  await new Orders().restore();
  const shown = texts("#orders .what");
  equal([shown.length, shown[0], shown.at(-1)], [50, "Toy 50", "Toy 1"]);
  equal(JSON.parse(localStorage.getItem("orders")).length, 50);
});

test("markup in a name stays text", async () => {
  shop(() => json(202, accepted("one")));
  new Orders();
  order("<img src=x>");
  await idle();
  equal([texts("#orders .what"), $("#orders .what img")], [["<img src=x>"], null]);
});

test("a product that is offered waits for its quantity", async () => {
  new Orders().offer("Kite");
  equal([$("#order-product").value, document.activeElement.id], ["Kite", "order-quantity"]);
  new Orders().offer("Boat", "3");
  equal([$("#order-product").value, $("#order-quantity").value], ["Boat", "3"]);
});
