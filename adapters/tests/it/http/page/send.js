import { keep } from "/shop/kept.js";
import { Sender } from "/shop/send.js";
import { equal, hurry, json, shop, test, until } from "./harness.js";

const order = (key) => ({ key, product: "Train", quantity: 2, status: "sending", seen_at: 1 });

/** A sender, and what it says. */
function sender() {
  const heard = [];
  const hears = {
    taken: ({ key }, { order_id }) => heard.push(`${key} is ${order_id}`),
    refused: ({ key }, { kind }) => heard.push(`${key} refused: ${kind}`),
    waits: ({ key }, { kind }, seconds) => heard.push(`${key} waits ${seconds}: ${kind}`),
  };
  return { heard, sender: new Sender(hears) };
}

const send = ({ sender: sends }, ...keys) => keys.map(order).forEach((view) => { keep(view); sends.send(view); });
const taken = ({ headers }) => json(202, { order_id: `of ${headers["Idempotency-Key"]}`, status: "pending" });

test("orders are sent one after the other, each under its key", async () => {
  const made = sender();
  const asked = shop(taken);
  send(made, "a", "b", "c");
  await until("all", () => made.heard.length === 3);
  equal(made.heard, ["a is of a", "b is of b", "c is of c"]);
  equal(asked.map(({ body }) => body), Array(3).fill({ product: "Train", quantity: 2 }));
});

test("an answer that is lost is asked for again under the same key", async () => {
  hurry();
  const made = sender();
  const asked = shop((request, nth) => {
    if (nth === 1) throw new TypeError("gone");
    return nth === 2 ? new Response('{"order_id": "o', { status: 202 }) : taken(request);
  });
  send(made, "a");
  await until("the end", () => made.heard.at(-1) === "a is of a");
  equal(asked.map(({ headers }) => headers["Idempotency-Key"]), ["a", "a", "a"]);
  const waits = (...seconds) => seconds.map((left) => `a waits ${left}: no-answer`);
  equal(made.heard, [...waits(2, 1), ...waits(4, 3, 2, 1), "a is of a"]);
});

test("all that wait say so, and one that fails each time holds up no other", async () => {
  hurry();
  const made = sender();
  const asked = shop((request) => (request.headers["Idempotency-Key"] === "a" && asked.length < 4 ? json(500, {}) : taken(request)));
  send(made, "a", "b", "c");
  await until("all", () => made.heard.at(-1) === "a is of a");
  equal(made.heard.slice(0, 3), ["a waits 2: other", "b waits 2: other", "c waits 2: other"]);
  equal(asked.map(({ headers }) => headers["Idempotency-Key"]), ["a", "b", "c", "a"]);
});

test("an order that waits already is not sent twice", async () => {
  const made = sender();
  const asked = shop(taken);
  send(made, "a", "a");
  await until("the end", () => made.heard.length === 1);
  equal(asked.length, 1);
});

test("it waits as long as the shop says, and half a minute at most by itself", async () => {
  hurry();
  const made = sender();
  shop((request, nth) => (nth === 1 ? json(503, {}, { "Retry-After": "7" }) : nth < 9 ? json(500, {}) : taken(request)));
  send(made, "a");
  await until("the end", () => made.heard.at(-1) === "a is of a");
  const longest = made.heard.map((said) => Number(/waits (\d+)/.exec(said)?.[1])).filter((seconds, nth, all) => !(all[nth - 1] > seconds));
  equal(longest.slice(0, -1), [7, 4, 8, 16, 30, 30, 30, 30]);
});

test("a refused order is told of, and the next one sent", async () => {
  const made = sender();
  shop((request, nth) => (nth === 1 ? json(422, { type: "urn:woodytoys:problem:key-reused" }) : taken(request)));
  send(made, "a", "b");
  await until("both", () => made.heard.length === 2);
  equal(made.heard, ["a refused: key-reused", "b is of b"]);
});

test("an order that another tab has sent, or that is forgotten, is not sent", async () => {
  const made = sender();
  const asked = shop(taken);
  keep({ ...order("a"), status: "pending", order_id: "x" });
  made.sender.send(order("a"));
  made.sender.send(order("forgotten"));
  send(made, "c");
  await until("the third", () => made.heard.length === 1);
  equal([asked.length, made.heard], [1, ["c is of c"]]);
});

test("a network that is back ends the wait", async () => {
  const made = sender();
  let isThere = false;
  shop((request) => {
    if (isThere) return taken(request);
    throw new TypeError("offline");
  });
  send(made, "a");
  await until("the wait", () => made.heard.length === 1);
  isThere = true;
  window.dispatchEvent(new Event("online"));
  await until("the end", () => made.heard.at(-1) === "a is of a");
});
