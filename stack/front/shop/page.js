// What every part of the pages uses: its elements, and what a screen reader is told.
// Data reaches the document through textContent and attributes only.

import { translate } from "./words.js";

export const byId = (id) => document.getElementById(id);
export const announce = (text) => { byId("announcer").textContent = text; };
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function fromTemplate(id) {
  const made = byId(id).content.firstElementChild.cloneNode(true);
  translate(made);
  return made;
}

export function element(tag, className, text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** A UUIDv4; `randomUUID` is missing where the page came over plain http from another host. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
