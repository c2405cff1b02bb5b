import { Follower } from "/shop/follow.js";
import { Stream, equal, hurry, json, shop, test, until } from "./harness.js";

const pending = (id) => ({ order_id: id, status: "pending" });
const ended = (id, status = "success") => ({ order_id: id, status });
const paths = () => Stream.open.map(({ path }) => path);

/** A follower, and what it says. */
function follower() {
  const heard = { seen: [], missing: [], away: 0 };
  const hears = {
    seen: ({ order_id, status }) => heard.seen.push(`${order_id} ${status}`),
    missing: (id) => heard.missing.push(id),
    away: () => { heard.away += 1; },
  };
  return { heard, follower: new Follower(hears) };
}

test("twelve orders are one stream", async () => {
  const { follower: followed } = follower();
  const asked = shop(() => json(200, {}));
  for (let nth = 0; nth < 12; nth += 1) followed.follow(`order-${nth}`);
  await until("the stream", () => Stream.open.length > 0);
  const ids = Array.from({ length: 12 }, (_, nth) => `order-${nth}`);
  equal([paths(), asked.length], [[`/api/events?ids=${ids.join(",")}`], 0]);
});

test("an order more is followed by the same stream, and one that ended is left out", async () => {
  const { heard, follower: followed } = follower();
  followed.follow("one");
  await until("the stream", () => paths()[0] === "/api/events?ids=one");
  followed.follow("two");
  await until("the next stream", () => paths()[0] === "/api/events?ids=one,two");
  Stream.open[0].says(ended("one"));
  followed.follow("three");
  await until("the third", () => paths()[0] === "/api/events?ids=two,three");
  equal([Stream.open.length, heard.seen], [1, ["one success"]]);
});

test("the stream is closed after the last end, and opened for the next order", async () => {
  const { heard, follower: followed } = follower();
  followed.follow("one");
  await until("the stream", () => Stream.open.length === 1);
  const [stream] = Stream.open;
  stream.says(pending("one"));
  stream.says(ended("one", "rejected"));
  stream.says(ended("one"));
  await until("the end", () => Stream.open.length === 0);
  equal(heard.seen, ["one pending", "one rejected"]);
  followed.follow("two");
  await until("the next", () => paths()[0] === "/api/events?ids=two");
});

test("an order that is left is no longer followed", async () => {
  const { follower: followed } = follower();
  followed.follow("one");
  await until("the stream", () => Stream.open.length === 1);
  followed.leave("one");
  await until("the end", () => Stream.open.length === 0);
});

test("a stream that keeps failing gives way to asking", async () => {
  hurry();
  const { heard, follower: followed } = follower();
  shop(({ path }) => json(200, ended(path.split("/").at(-1), "failed")));
  followed.follow("one");
  await until("the stream", () => Stream.open.length === 1);
  const [stream] = Stream.open;
  for (let failure = 0; failure < 3; failure += 1) stream.dispatchEvent(new Event("error"));
  await until("the answer", () => heard.seen.length === 1);
  equal([heard.seen, Stream.open.length], [["one failed"], 0]);
});

test("after asking a stream is tried again", async () => {
  hurry();
  const { follower: followed } = follower();
  shop(() => json(200, pending("one")));
  followed.follow("one");
  await until("the stream", () => Stream.open.length === 1);
  const [first] = Stream.open;
  first.readyState = Stream.CLOSED;
  first.dispatchEvent(new Event("error"));
  await until("another", () => Stream.open.length === 1 && Stream.open[0] !== first);
});

test("where there are no streams each order is asked for", async () => {
  hurry();
  window.EventSource = undefined;
  const { heard, follower: followed } = follower();
  const asked = shop(({ path }, nth) => json(200, nth < 3 ? pending(path.split("/").at(-1)) : ended(path.split("/").at(-1))));
  followed.follow("one");
  followed.follow("two");
  await until("both", () => heard.seen.filter((said) => said.endsWith("success")).length === 2);
  equal(asked.map(({ path }) => path), ["/api/orders/one", "/api/orders/two", "/api/orders/one", "/api/orders/two"]);
});

test("an order that the shop does not know is asked for twelve times, and told as missing", async () => {
  hurry();
  window.EventSource = undefined;
  const { heard, follower: followed } = follower();
  const asked = shop(() => json(404, { title: "No such order" }));
  followed.follow("one");
  await until("the end", () => heard.missing.length === 1);
  equal([asked.length, heard.away], [12, 0]);
});

test("a shop that is away is told of, and asked on", async () => {
  hurry();
  window.EventSource = undefined;
  const { heard, follower: followed } = follower();
  shop((_, nth) => (nth < 4 ? json(503, { title: "Unavailable" }) : json(200, ended("one"))));
  followed.follow("one");
  await until("the end", () => heard.seen.length === 1);
  equal(heard.away, 3);
});
