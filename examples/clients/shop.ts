// Orders toys by a client that is generated from the shop's OpenAPI document. `dev/contracts.sh` makes it, compiles
// this with all of TypeScript's strictness, and runs it; by hand, in a folder of its own, with a shop that is open:
//
//   npm install openapi-fetch openapi-typescript typescript @types/node
//   npx openapi-typescript http://127.0.0.1:8080/openapi.json --output openapi.d.ts
//   npx tsc --strict --target es2022 --module nodenext shop.ts && node shop.js http://127.0.0.1:8080
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi.js";

type Order = components["schemas"]["OrderView"];

const baseUrl = process.argv[2] ?? "http://127.0.0.1:8080";
const shop = createClient<paths>({ baseUrl });

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
  console.log(`ok: ${what}`);
}

/** Places an order; sent twice under its key, it is one. */
async function place(product: string, quantity: number, key: string): Promise<string> {
  const { data, error } = await shop.POST("/api/orders", {
    params: { header: { "Idempotency-Key": key } },
    body: { product, quantity },
  });
  if (!data) throw new Error(JSON.stringify(error));
  return data.order_id;
}

async function show(id: string, wait: number): Promise<Order> {
  const { data, error } = await shop.GET("/api/orders/{id}", { params: { path: { id }, query: { wait } } });
  if (!data) throw new Error(JSON.stringify(error));
  return data;
}

const key = crypto.randomUUID();
const id = await place("Train", 3, key);
check((await place("Train", 3, key)) === id, "an order that is sent twice is one");
const order = await show(id, 0);
check(order.order_id === id && order.product === "Train" && order.quantity === 3, "it is read as it was placed");
const ended = await show(id, 60);
check(ended.status === "success" && typeof ended.finished_at === "string", "it is waited for until it has ended");

// Whoever cancels is sometimes too late: then it is told so, and the order stays as it ended.
let cancelled: Order | undefined;
for (let tries = 0; !cancelled && tries < 50; tries += 1) {
  const path = { id: await place("Rocking horse", 1000, crypto.randomUUID()) };
  const { data, error, response } = await shop.DELETE("/api/orders/{id}", { params: { path } });
  if (response.status !== 409) cancelled = data;
  else if (error && "type" in error) check(error.status === 409, "an order that has ended is not cancelled");
}
check(cancelled?.status === "cancelled", "an order is cancelled");
check((await show(cancelled.order_id, 60)).status === "cancelled", "it stays cancelled");

const batch = await shop.POST("/api/orders/batch", {
  body: [{ product: "Lion", idempotency_key: crypto.randomUUID() }, { product: "Kite", quantity: 0 }],
});
const [kept, refused] = batch.data ?? [];
check(kept?.status === 202 && kept.order?.status === "pending", "of a batch, what can be kept is kept");
check(refused?.status === 422 && refused.problem?.field === "quantity", "and what cannot is told why");

const bad = await shop.POST("/api/orders", { body: { product: "Train", quantity: 0 } });
check(bad.response.status === 422 && bad.data === undefined, "an order that cannot be is refused");
const problem = bad.error;
check(problem !== undefined && "type" in problem && problem.field === "quantity", "its problem names the field");
check(problem.errors?.[0]?.field === "quantity", "as do its errors, one for each wrong field");
check(problem.type === "urn:woodytoys:problem:invalid-value", "and is of a type that a program knows");

const page = await shop.GET("/api/products", { params: { query: { limit: 1 } } });
check(typeof page.data === "object" && Array.isArray(page.data.items), "products come by the page");
