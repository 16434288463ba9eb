// A report of any shape as nested tables: names made readable, numbers lined up, long lists folded.

import { h } from "./dom.js";

const MOST = 60;

export function reportView(report, name) {
  return h("div", { class: "tree" }, h("h3", {}, name), treeOf(report));
}

function treeOf(value) {
  if (value === null || value === undefined) return h("span", {}, "–");
  if (typeof value === "number") return h("span", { class: "number" }, Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(5))));
  if (typeof value !== "object") return h("span", {}, String(value));
  if (Array.isArray(value)) return listOf(value);
  return h("table", {}, h("tbody", {}, Object.entries(value).map(([key, part]) => h("tr", {}, h("th", { scope: "row" }, words(key)), h("td", {}, treeOf(part))))));
}

function listOf(items) {
  if (!items.length) return h("span", {}, "–");
  if (items.every((item) => typeof item !== "object")) {
    const shown = items.slice(0, MOST).map((item) => (typeof item === "number" ? Number(item.toPrecision(5)) : item)).join(", ");
    return h("span", { class: "number" }, items.length > MOST ? `${shown} … (${items.length})` : shown);
  }
  const keys = [...new Set(items.flatMap((item) => Object.keys(item ?? {})))];
  const table = h("table", {},
    h("thead", {}, h("tr", {}, keys.map((key) => h("th", { scope: "col" }, words(key))))),
    h("tbody", {}, items.slice(0, MOST).map((item) => h("tr", {}, keys.map((key) => h("td", {}, treeOf(item?.[key])))))));
  return h("div", { class: "table" }, table, items.length > MOST ? h("p", { class: "said" }, `The first ${MOST} of ${items.length}.`) : null);
}

function words(key) { return key.replaceAll("_", " ").replace(/\b(fmr|fnmr|fpir|fnir|auc|eer|det|roc)\b/gi, (word) => word.toUpperCase()); }
