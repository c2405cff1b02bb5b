import { find, keep } from "/shop/kept.js";
import { OrderPage } from "/shop/order.js";
import { speak } from "/shop/words.js";
import { $, Stream, all, equal, hurry, json, shop, test, texts, until } from "./harness.js";

const ID = "0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f";
const PENDING = { order_id: ID, product: "Train", quantity: 3, status: "pending", accepted_at: "2026-11-25T20:00:00Z" };
const ended = (status, more = {}) => ({ ...PENDING, status, finished_at: "2026-11-25T20:00:01.500Z", ...more });
const DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><script>window.ran = true</script></svg>';
const drawing = () => new Response(DRAWING, { headers: { "Content-Type": "image/svg+xml" } });
const at = (seconds) => ({ Date: new Date(Date.parse(PENDING.accepted_at) + seconds * 1000).toUTCString() });

const state = () => $("#state").textContent;
const is = (text) => until(text, () => state() === text);
const seen = (id) => !$(`#${id}`).hidden;

/** What a shop answers that knows one order. */
const knows = (view, headers = at(0)) => ({ path }) => (path.startsWith("/api/misc") ? drawing() : json(200, view, headers));

test("an order that is pending is safe, and its page follows it to its end", async () => {
  const asked = shop(knows(PENDING));
  new OrderPage(ID).open();
  await until("the stream", () => Stream.open.length === 1);
  equal([state(), $("#what").textContent, document.title], ["Received and safe", "3 × Train", "Received and safe · 3 × Train · WoodyToys"]);
  equal(texts("#steps .how"), ["done", "now", "to come"]);
  equal(all("#steps li").map((step) => step.getAttribute("aria-current")), [null, "step", null]);
  equal([$("#steps time").dateTime, seen("cancel"), seen("plan")], ["2026-11-25T20:00:00.000Z", true, false]);
  equal([Stream.open[0].path, $("#id").textContent], [`/api/events?ids=${ID}`, ID]);
  Stream.open[0].says(ended("success"));
  await until("the plan", () => seen("plan"));
  equal([state(), document.title, $("#state").className], ["Ready to be made", "Ready to be made · 3 × Train · WoodyToys", "success"]);
  equal([texts("#steps .how"), $("#took").textContent], [["done", "done", "done"], "after 1.5 s"]);
  equal([seen("cancel"), $("#again").getAttribute("href"), seen("again")], [false, "/?product=Train&quantity=3", true]);
  equal($("#announcer").textContent, "Ready to be made. 3 × Train");
  equal(asked.at(-1).path, "/api/misc/heavy?name=Train&quantity=3");
  await $("#plan-image").decode();
  equal([$("#plan-image").naturalWidth, window.ran, $("#plan-title").textContent, $("#plan-save").download], [4, undefined, "How 3 × Train is cut", "Train.svg"]);
  equal(Stream.open.length, 0, "streams after the end");
});

test("a rejected order says why, and what helps", async () => {
  shop(knows(ended("rejected", { reason: "part <b>wing</b> is larger than any sheet" })));
  new OrderPage(ID).open();
  await is("Cannot be made like this");
  equal([$("#said").textContent, seen("said"), seen("help"), $("#said b")], ["part <b>wing</b> is larger than any sheet", true, true, null]);
  equal([texts("#steps .how"), seen("cancel"), seen("plan")], [["done", "done", "not to come"], false, false]);
});

test("an order that failed says nothing technical, and may still be mended", async () => {
  hurry();
  let view = ended("failed", { reason: "stack overflow in thread 7" });
  shop((request) => knows(view)(request));
  new OrderPage(ID).open();
  await is("Held up on our side");
  equal(document.body.textContent.includes("stack overflow"), false, "the reason");
  view = ended("success");
  await is("Ready to be made");
});

test("a cancelled order says so", async () => {
  shop(knows(ended("cancelled")));
  new OrderPage(ID).open();
  await is("Cancelled");
  equal([texts("#steps .how"), seen("again")], [["done", "not to come", "not to come"], true]);
});

test("an order that takes long is safe, and the page may be closed", async () => {
  shop(knows(PENDING, at(9)));
  new OrderPage(ID).open();
  await until("the notice", () => seen("longer"));
  equal($("#longer").textContent, "Longer than usual. Your order is safe, you can close this page.");
  equal(/^for \d+ s$/.test($("#waited").textContent), true, $("#waited").textContent);
});

test("an order that is fresh is not said to take long", async () => {
  shop(knows(PENDING, at(1)));
  new OrderPage(ID).open();
  await is("Received and safe");
  equal(seen("longer"), false);
});

test("while the shop is away its page shows what was known, and goes on asking", async () => {
  hurry();
  keep(PENDING);
  let isThere = false;
  const asked = shop((request) => (isThere ? knows(ended("success"))(request) : json(503, { title: "Unavailable" })));
  new OrderPage(ID).open();
  await until("the notice", () => seen("away"));
  equal([state(), $("#what").textContent], ["Received and safe", "3 × Train"]);
  equal($("#away-text").textContent.includes("This is what we knew last"), true);
  await until("more questions", () => asked.length > 3);
  isThere = true;
  await is("Ready to be made");
  equal([seen("away"), find(ID).status], [false, "success"]);
});

test("an order of which only the broker knows has no name and no time yet", async () => {
  shop(knows({ order_id: ID, status: "pending" }));
  new OrderPage(ID).open();
  await is("Received and safe");
  equal([seen("what"), seen("again"), $("#steps time").hidden, document.title], [false, false, true, "Received and safe · WoodyToys"]);
});

test("an order that the shop does not know has a kind page, and is looked for on", async () => {
  hurry();
  let isThere = false;
  shop((request) => (isThere ? knows(ended("success"))(request) : json(404, { title: "No such order" })));
  window.EventSource = undefined;
  new OrderPage(ID).open();
  await is("We do not know this order");
  equal([seen("steps"), seen("cancel")], [false, false]);
  isThere = true;
  await is("Ready to be made");
});

test("an address that is no order's asks nobody", async () => {
  const asked = shop(() => json(422, {}));
  await new OrderPage("<b>42</b>").open();
  equal([state(), $("#id").textContent, asked.length], ["This is no order number", "<b>42</b>", 0]);
});

test("an order is cancelled, and the focus goes to what became of it", async () => {
  const asked = shop(({ method }) => json(200, method === "DELETE" ? ended("cancelled") : PENDING, at(0)));
  new OrderPage(ID).open();
  await until("the stream", () => Stream.open.length === 1);
  $("#cancel").focus();
  $("#cancel").click();
  await is("Cancelled");
  equal([asked.at(-1).method, document.activeElement.id, $("#announcer").textContent], ["DELETE", "state", "Cancelled. 3 × Train"]);
  await until("the end", () => Stream.open.length === 0);
});

test("an order that has ended before it could be cancelled shows how", async () => {
  let isEnded = false;
  shop(({ method, path }) => {
    if (path.startsWith("/api/misc")) return drawing();
    isEnded ||= method === "DELETE";
    return method === "DELETE" ? json(409, { title: "Already ended" }) : json(200, isEnded ? ended("success") : PENDING, at(0));
  });
  new OrderPage(ID).open();
  await until("the stream", () => Stream.open.length === 1);
  $("#cancel").click();
  await is("Ready to be made");
  await until("the notice", () => seen("cancelled"));
  equal($("#cancelled").textContent, "It could not be cancelled any more: it has ended before.");
});

test("an order that could not be cancelled can be cancelled again", async () => {
  shop(({ method }) => (method === "DELETE" ? json(503, { title: "Unavailable" }) : json(200, PENDING, at(0))));
  new OrderPage(ID).open();
  await until("the stream", () => Stream.open.length === 1);
  $("#cancel").click();
  await until("the notice", () => seen("cancelled"));
  equal([state(), seen("cancel"), $("#cancel").hasAttribute("aria-disabled")], ["Received and safe", true, false]);
});

test("in French the page is French, its title too", async () => {
  speak("fr");
  shop(knows(PENDING, at(9)));
  new OrderPage(ID).open();
  await is("Reçue et en sécurité");
  equal([document.title, document.documentElement.lang, texts("#steps .how")], ["Reçue et en sécurité · 3 × Train · WoodyToys", "fr", ["fait", "en cours", "à venir"]]);
  speak("en");
  equal([state(), texts("#steps .how")], ["Received and safe", ["done", "now", "to come"]]);
});
