import { Problem, get, post, request, secondsOf } from "/shop/api.js";
import { equal, fails, json, shop, test } from "./harness.js";

test("a body is sent as JSON, and the answer is read as JSON", async () => {
  const asked = shop(() => json(202, { order_id: "x" }));
  equal(await post("/api/orders", { product: "Train" }, { "Idempotency-Key": "k" }), { order_id: "x" });
  equal([asked[0].method, asked[0].path, asked[0].body], ["POST", "/api/orders", { product: "Train" }]);
  equal(asked[0].headers, { Accept: "application/json", "Idempotency-Key": "k", "Content-Type": "application/json" });
});

test("a GET has no body and names no type of one", async () => {
  const asked = shop(() => json(200, []));
  equal(await get("/api/products"), []);
  equal(asked[0].headers, { Accept: "application/json" });
});

test("a problem is told by its title, its detail and its field", async () => {
  shop(() => json(422, { title: "Invalid", detail: "quantity must be 1 to 1000", field: "quantity", status: 422 }));
  const problem = await fails(get("/x"));
  equal(problem instanceof Problem, true);
  equal([problem.status, problem.field, problem.text], [422, "quantity", "Invalid. quantity must be 1 to 1000"]);
  equal([problem.isBusy, problem.isRefusal], [false, true]);
});

test("the gateway's refusal is a busy shop, and says when to come back", async () => {
  const refusal = { error: "Rate limit exceeded", message: "Too many requests", status: 503 };
  shop(() => json(503, refusal, { "Retry-After": "1" }));
  const problem = await fails(get("/x"));
  equal([problem.text, problem.retryAfter, problem.isBusy], ["That was a little fast for the workshop.", 1, true]);
});

test("a plain answer is told as it is, and a page of somebody else is not", async () => {
  shop(({ path }) => new Response("down for a moment", { status: 500, headers: { "Content-Type": path === "/text" ? "text/plain" : "text/html" } }));
  equal((await fails(get("/text"))).text, "The shop answered 500. down for a moment");
  equal((await fails(get("/html"))).text, "The shop answered 500.");
});

test("no answer at all is a problem too", async () => {
  const problem = await fails(request("/x"));
  equal([problem.status, problem.title, problem.isRefusal], [0, "No answer from the shop", false]);
});

test("Retry-After is seconds or a date, between a second and two minutes", async () => {
  const inTen = new Date(Date.now() + 10000).toUTCString();
  equal([secondsOf("3"), secondsOf("0"), secondsOf("9999"), secondsOf(null), secondsOf("soon")], [3, 1, 120, null, null]);
  equal(secondsOf(inTen) >= 9 && secondsOf(inTen) <= 10, true, inTen);
});
