// Opens the workshop: products are added, and plans drawn.

import { Plan } from "./shop/plan.js";
import { Products } from "./shop/products.js";
import { offerLanguages } from "./shop/words.js";

offerLanguages();
const products = new Products((name) => location.assign(`/?${new URLSearchParams({ product: name })}`));
new Plan();
products.show();
