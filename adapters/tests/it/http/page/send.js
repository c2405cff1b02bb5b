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

test("an answer that is lost is asked for again under the same key, before any other order", async () => {
  hurry();
  const made = sender();
  const asked = shop((request, nth) => {
    if (nth === 1) throw new TypeError("gone");
    return nth === 2 ? new Response('{"order_id": "o', { status: 202 }) : taken(request);
  });
  send(made, "a", "b");
  await until("both", () => made.heard.at(-1) === "b is of b");
  equal(asked.map(({ headers }) => headers["Idempotency-Key"]), ["a", "a", "a", "b"]);
  equal(made.heard, ["a waits 2: no-answer", "a waits 1: no-answer", "a waits 4: no-answer", "a waits 3: no-answer", "a waits 2: no-answer", "a waits 1: no-answer", "a is of a", "b is of b"]);
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

test("one tab sends at a time", async () => {
  const order = [];
  let next;
  navigator.locks.request = async (name, run) => {
    order.push(name);
    await new Promise((resolve) => { next = resolve; });
    return run();
  };
  const made = sender();
  const asked = shop(taken);
  send(made, "a");
  await until("the lock", () => next);
  equal([order, asked.length], [["orders"], 0]);
  next();
  await until("the end", () => made.heard.length === 1);
});
