// What decides here and how well it was measured; evaluation reports, the server's or a file of your own.

import { call, policy } from "./api.js";
import { fault, h, number, percent, reveal } from "./dom.js";
import { fact } from "./compare.js";
import { reportView } from "./report.js";

export async function about(main) {
  const { operating_point: point, caps, ...info } = await policy();
  const rate = (value, interval) => (value === null || value === undefined ? "not measured" : `${percent(value)}${interval ? ` (${percent(interval.low)} to ${percent(interval.high)})` : ""}`);
  main.append(
    h("h1", {}, "What decides here"),
    h("p", { class: "lead" }, "Two photos show the same person when their distance is under the limit τ. Here is where τ comes from, and what this server takes."),
    h("section", { class: "card" },
      h("h2", {}, "Threshold"),
      h("dl", { class: "facts" },
        fact("τ for 1:1", number(point.threshold)),
        fact("Chosen for", point.target),
        fact("False matches (FMR)", rate(point.fmr, point.fmr_interval)),
        fact("Missed matches (FNMR)", rate(point.fnmr, point.fnmr_interval)),
        fact("Pairs, same · different", `${(point.mated_pairs ?? 0).toLocaleString("en")} · ${(point.non_mated_pairs ?? 0).toLocaleString("en")}`),
        fact("People in that data", (point.people ?? 0).toLocaleString("en")),
        fact("Data", point.data || "none"),
        fact("Strangers named in 1:K", `at most about ${percent(info.fpir).replace(" ", "\u00a0")}`)),
      point.protocol ? h("p", { class: "said" }, point.protocol) : null),
    h("section", { class: "card" },
      h("h2", {}, "Server"),
      h("dl", { class: "facts" },
        fact("Version", info.version), fact("Encoder", info.encoder), fact("Detector", info.detector), fact("Alignment", info.alignment),
        fact("Your role", info.role), fact("Formats", caps.formats.join(", ")),
        fact("Photo", `≤ ${Math.round(caps.max_photo / 2 ** 20)} MB, ${Math.round(caps.max_pixels / 1e6)} megapixels`),
        fact("Faces in a photo", `≤ ${caps.max_faces}`)),
      h("p", { class: "said" }, "For programs: ", h("a", { href: "#reference" }, "browse the API"), ", or take ", h("a", { href: "v1/openapi.json" }, "the OpenAPI document"), ".")),
    await licences(),
    await reports(),
  );
}

async function licences() {
  const { models } = await call("GET", "models");
  const used = models.filter((model) => model.in_use), others = models.filter((model) => !model.in_use);
  return h("section", { class: "card" },
    h("h2", {}, "Models"),
    listOf(used, "Models in use and their licences"),
    others.length ? h("details", {}, h("summary", {}, `${others.length} others that are known here`), listOf(others, "Other models and their licences")) : null);
}

function listOf(models, caption) {
  return h("div", { class: "table" }, h("table", { class: "models" },
    h("caption", { class: "hidden" }, caption),
    h("thead", {}, h("tr", {}, ["Model", "Kind", "Licence", "Commercial use"].map((word) => h("th", { scope: "col" }, word)))),
    h("tbody", {}, models.map((model) => h("tr", {},
      h("th", { scope: "row" }, model.id), h("td", {}, model.kind), h("td", {}, model.licence),
      h("td", { title: model.licence_note }, h("span", { class: `chip ${model.commercial_use === "yes" ? "same" : "other"}` }, model.commercial_use)))))));
}

async function reports() {
  const place = h("div");
  const listed = (await call("GET", "reports")).reports;
  const show = (report, name) => { place.replaceChildren(reportView(report, name)); reveal(place); };
  const file = h("input", { type: "file", accept: ".json,application/json", class: "hidden", onchange: async () => {
    const chosen = file.files[0];
    file.value = "";
    if (!chosen) return;
    try { show(JSON.parse(await chosen.text()), chosen.name); } catch { place.replaceChildren(fault(new Error(`${chosen.name} is not a report in JSON`))); }
  } });
  return h("section", { class: "card" },
    h("h2", {}, "Evaluation reports"),
    h("p", {}, listed.length ? "Reports of this server, or a file that " : "Open a file that ", h("code", {}, "sameface evaluate --json"), " wrote; it stays on this device."),
    h("div", { class: "actions start" },
      listed.map((name) => h("button", { type: "button", onclick: async () => {
        try { show(await call("GET", `reports/${encodeURIComponent(name)}`), name); } catch (error) { place.replaceChildren(fault(error)); }
      } }, name)),
      h("label", { class: "button" }, "Open a file", file)),
    place);
}
