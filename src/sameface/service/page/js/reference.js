// The API to browse: every operation of the OpenAPI document, with its fields, its answers and a call to copy. Nothing comes from elsewhere.

import { h, sentence } from "./dom.js";

const TITLES = { photos: "Photos", liveness: "Presence", galleries: "Galleries", people: "People", rights: "Rights of people", jobs: "Bulk enrolment", about: "The service itself" };

export async function reference(main) {
  let sections = [];
  const search = h("input", { type: "search", id: "reference-search", placeholder: "identify, forget, threshold …", autocomplete: "off", oninput: () => narrow(search.value) });
  const none = h("p", { class: "empty", hidden: true }, "Nothing has these words.");
  main.append( // before the document is there: on a phone it takes a second
    h("p", { class: "back" }, h("a", { href: "#about" }, "← About")),
    h("h1", {}, "API"),
    h("p", { class: "lead" }, "What this page can do, a program can do. Photos go as file parts, or as base64 text in JSON; a key goes into the header ", h("code", {}, "Authorization: Bearer <key>"), "."),
    h("p", {}, "Errors are ", h("code", {}, "application/problem+json"), " with ", h("code", {}, "expected"), ", ", h("code", {}, "got"), " and ", h("code", {}, "advice"), ". The whole as one file: ", h("a", { href: "v1/openapi.json" }, "openapi.json"), "."),
    h("label", { class: "field" }, h("span", {}, "Search"), search));
  const document_ = await fetchDocument();
  const groups = new Map();
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? "about";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operationView(document_, method.toUpperCase(), path, operation));
    }
  }
  sections = [...groups].map(([tag, items]) => h("section", { class: "card operations", "aria-label": TITLES[tag] ?? tag }, h("h2", {}, TITLES[tag] ?? tag), items));
  main.append(...sections, none);
  narrow(search.value); // what was typed meanwhile

  function narrow(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const section of sections) {
      const items = [...section.querySelectorAll("details.operation")];
      for (const item of items) item.hidden = !words.every((word) => item.textContent.toLowerCase().includes(word));
      section.hidden = items.every((item) => item.hidden);
      shown += section.hidden ? 0 : 1;
    }
    none.hidden = shown > 0;
  }
}

async function fetchDocument() {
  const answer = await fetch("v1/openapi.json", { credentials: "omit" });
  if (!answer.ok) throw new Error("the API's description cannot be read");
  return answer.json();
}

function operationView(root, method, path, operation) {
  const lines = (operation.description ?? "").split("\n\n");
  const content = operation.requestBody?.content ?? {};
  const body = content["multipart/form-data"]?.schema ?? content["application/json"]?.schema;
  const inPath = (operation.parameters ?? []).filter((item) => item.in === "path" || item.in === "query");
  return h("details", { class: "operation" },
    h("summary", {}, h("span", { class: `method ${method.toLowerCase()}` }, method), h("code", {}, path), h("span", { class: "what" }, lines[0].split("\n").join(" "))),
    lines.slice(1).map((line) => h("p", {}, line)),
    inPath.length ? fields(root, "In the address", inPath.map((item) => ({ name: item.name, needed: item.required, schema: { description: item.description, ...item.schema } }))) : null,
    body ? fields(root, "In the body", ofObject(root, body)) : null,
    h("h3", {}, "Call"), h("pre", { tabindex: 0 }, h("code", {}, curl(method, path, content))),
    answerFields(root, operation));
}

function answerFields(root, operation) {
  const [status, answer] = Object.entries(operation.responses).find(([code]) => code.startsWith("2")) ?? [];
  const schema = resolved(root, answer?.content?.["application/json"]?.schema);
  return schema?.properties ? fields(root, `Answer, ${status}`, ofObject(root, schema)) : null;
}

function fields(root, title, items) {
  return [h("h3", {}, title),
    h("div", { class: "table" }, h("table", { class: "fields" }, h("tbody", {}, items.map(({ name, needed, schema }) => h("tr", {},
      h("th", { scope: "row" }, h("code", {}, name), needed ? null : h("small", {}, " may be left out")),
      h("td", {}, kindOf(root, schema)),
      h("td", {}, sentence((schema.description ?? "").split("``").join("")))))))) ];
}

function ofObject(root, schema) {
  const whole = resolved(root, schema);
  return Object.entries(whole.properties ?? {}).map(([name, part]) => ({ name, schema: part, needed: (whole.required ?? []).includes(name) }));
}

function resolved(root, schema) {
  if (!schema?.$ref) return schema;
  return schema.$ref.slice(2).split("/").reduce((at, step) => at[step], root);
}

/** A field's kind in a few words: "text", "number or null", "list of Person". */
function kindOf(root, schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map((kind) => kindOf(root, kind)).join(" or ");
  if (schema.enum) return schema.enum.map(String).join(", ");
  if (schema.const !== undefined) return String(schema.const);
  if (schema.format === "binary" || schema.contentEncoding === "base64") return "photo";
  if (schema.type === "array") return schema.items ? `list of ${kindOf(root, schema.items)}` : "list";
  return { string: "text", integer: "whole number", number: "number", boolean: "true or false", object: "object", null: "null" }[schema.type] ?? "anything";
}

/** A call that works when the names in it are put right. */
function curl(method, path, content) {
  const address = `${location.origin}${location.pathname.replace(/\/[^/]*$/, "")}${path.replace("{gallery}", "people").replaceAll(/\{(\w+)\}/g, (_, name) => name.toUpperCase())}`;
  const parts = [`curl${method === "GET" ? "" : ` -X ${method}`} ${address}`, "-H 'Authorization: Bearer KEY'"];
  const form = content["multipart/form-data"]?.schema;
  const files = Object.entries(form?.properties ?? {}).filter(([, part]) => part.format === "binary" || part.items?.format === "binary");
  if (files.length) {
    for (const name of form.required ?? []) parts.push(files.some(([file]) => file === name) ? `-F ${name}=@photo.jpg` : `-F ${name}='Ada'`);
  } else if (content["application/json"]) {
    parts.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(content["application/json"].example ?? {})}'`);
  }
  return parts.join(" \\\n  ");
}
