// Elements without a framework: h("p", {class: "lead"}, "text"). Text is always text, never markup.

import { plainAdvice, plainWords } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "circle", "rect", "line", "text", "g", "polygon", "title", "desc"]);

export function h(tag, attributes = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" && "value" in element) element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const GLYPHS = {
  photo: ["M4 7h3l2-3h6l2 3h3a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1z", "M12 17a4 4 0 1 0 0-8 4 4 0 0 0 0 8z"],
  check: ["m5 13 5 5L20 7"],
  cross: ["M6 6l12 12M18 6 6 18"],
  question: ["M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4", "M12 18v.01"],
};

export function glyph(name) {
  return h("svg", { viewBox: "0 0 24 24", class: "glyph", "aria-hidden": "true" }, GLYPHS[name].map((d) => h("path", { d })));
}

/** Tell screen readers what happened, without moving the focus. */
export function say(text) {
  const place = document.getElementById("said");
  place.textContent = "";
  requestAnimationFrame(() => { place.textContent = text; });
}

/** Scroll as little as shows the element. Not by scrollIntoView: some browsers then start the next Tab from there. */
export function reveal(element) {
  const box = element.getBoundingClientRect();
  const top = document.querySelector("header").getBoundingClientRect().bottom;
  scrollBy(0, box.top < top ? box.top - top : Math.max(0, Math.min(box.bottom - innerHeight, box.top - top)));
}

export function busy(text) { return h("div", { class: "busy" }, text); }

/** An error of the API or of the browser, as a box that is announced: what it is, what to do, and the API's words for whoever wants them. */
export function fault(error) {
  if (!error.advice) return h("div", { class: "fault", role: "alert" }, h("strong", {}, sentence(error.message)));
  return h("div", { class: "fault", role: "alert" },
    h("strong", {}, sentence(plainWords(error))), " ", sentence(plainAdvice(error)),
    h("details", {}, h("summary", {}, "Details"), `Expected ${error.expected}; got ${error.got}.`));
}

export function sentence(text) { return text ? text[0].toUpperCase() + text.slice(1).replace(/\.?$/, ".") : ""; }
/** A moment of the server, UTC, in the reader's own time and writing. */
export function day(text) { return new Date(text).toLocaleDateString(undefined, { dateStyle: "medium" }); }
export function moment(text) { return new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }); }
export function number(value, digits = 3) { return value === null || value === undefined ? "–" : value.toFixed(digits); }
export function percent(value) {
  if (value === 0 || value === 1) return `${value * 100} %`;
  if (value > 0.5) return `${Number((value * 100).toPrecision(value > 0.99 ? 4 : 3))} %`;
  return `${Number((value * 100).toPrecision(2))} %`;
}
/** What a face's standing means for its answer; null for a usual face. */
export function standing(answer) {
  const said = {
    unknown: "It is not known whether the threshold holds for this face",
    poor: "Judged more strictly",
    outside: "A face that is not comparable, so any answer is a guess",
  }[answer.standing];
  return said ? h("p", { class: "said", "data-standing": answer.standing }, `${said}${answer.standing_reason ? `: ${answer.standing_reason}` : ""}.`) : null;
}

/** A distance beside the limit that decides, in plain words: "0.24, well under the limit of 0.38". */
export function beside(distance, limit) {
  const share = distance / limit;
  const where = share < 0.75 ? "well under" : share < 0.95 ? "under" : share < 1 ? "just under" : share < 1.05 ? "just over" : share < 1.25 ? "over" : "far over";
  const digits = number(distance, 2) === number(limit, 2) ? 4 : 2;
  return `${number(distance, digits)}, ${share === 1 ? "at" : where} the limit of ${number(limit, digits)}`;
}

/** A probability, said as everywhere in sameface; no calibration knows better than one in ten thousand. */
export function chance(value) {
  return value > 0.9999 ? "over 0.9999" : value < 0.0001 ? "under 0.0001" : value.toFixed(4);
}
export function plural(count, word) { return `${count} ${count === 1 ? word : word === "person" ? "people" : `${word}s`}`; }
