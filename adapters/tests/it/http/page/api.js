import { Problem, get, post, request, secondsOf } from "/shop/api.js";
import { speak } from "/shop/words.js";
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

test("a problem is told by its kind and its field, not by what the shop wrote", async () => {
  const type = "urn:woodytoys:problem:invalid-value";
  shop(() => json(422, { type, title: "Invalid", detail: "quantity must be 1 to 1000", field: "quantity", status: 422 }));
  const problem = await fails(get("/x"));
  equal(problem instanceof Problem, true);
  equal([problem.kind, problem.status, problem.field, problem.isBusy, problem.isPassing], ["invalid-value", 422, "quantity", false, false]);
  equal(problem.text, "A whole number from 1 to 1,000, please.");
  speak("fr");
  equal(problem.text, "Un nombre entier de 1 à 1\u202f000, s’il vous plaît.");
});

test("a problem of an unknown kind or field is told in general", async () => {
  shop(({ path }) => json(422, { type: `urn:woodytoys:problem:${path.slice(1)}`, field: "parts[3].colour" }));
  equal((await fails(get("/invalid-value"))).text, "The shop cannot take this value.");
  equal((await fails(get("/brand-new"))).text, "The shop said no (422).");
});

test("the gateway's refusal is a busy shop, and says when to come back", async () => {
  const refusals = [
    { error: "Rate limit exceeded", message: "Too many requests", status: 503 },
    { type: "urn:woodytoys:problem:rate-limited", title: "Rate limit exceeded", status: 429, detail: "Too many requests" },
  ];
  for (const refusal of refusals) {
    shop(() => json(refusal.status, refusal, { "Retry-After": "1" }));
    const problem = await fails(get("/x"));
    equal([problem.text, problem.retryAfter, problem.isBusy], ["That was a little fast for the workshop.", 1, true]);
  }
});

test("an answer of somebody on the way is told by its status", async () => {
  shop(({ path }) => new Response("<h1>nginx", { status: Number(path.slice(1)), headers: { "Content-Type": "text/html" } }));
  equal((await fails(get("/502"))).text, "The shop cannot do this at the moment.");
  equal((await fails(get("/418"))).text, "The shop said no (418).");
});

test("what may succeed another time is told from what will not", async () => {
  shop(({ path }) => json(Number(path.slice(1)), {}));
  const passing = [];
  for (const status of [408, 429, 500, 502, 503, 504, 400, 403, 404, 409, 413, 422]) passing.push((await fails(get(`/${status}`))).isPassing);
  equal(passing, [true, true, true, true, true, true, false, false, false, false, false, false]);
});

test("no answer at all is a problem too, and so is one that breaks off", async () => {
  const problem = await fails(request("/x"));
  equal([problem.status, problem.kind, problem.isPassing], [0, "no-answer", true]);
  shop(() => new Response('{"order_id": "on', { status: 202 }));
  equal((await fails(post("/x", {}))).kind, "no-answer");
});

test("Retry-After is seconds or a date, between a second and two minutes", async () => {
  const inTen = new Date(Date.now() + 10000).toUTCString();
  equal([secondsOf("3"), secondsOf("0"), secondsOf("9999"), secondsOf(null), secondsOf("soon")], [3, 1, 120, null, null]);
  equal(secondsOf(inTen) >= 9 && secondsOf(inTen) <= 10, true, inTen);
});
