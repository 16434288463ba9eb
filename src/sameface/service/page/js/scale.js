// The distance on a scale: where τ is, and where pairs of the calibration lie.

import { h, number, percent } from "./dom.js";

const WIDTH = 640, HEIGHT = 186, LEFT = 16, RIGHT = 624, BASE = 140, TOP = 34;

/** Share of pairs whose distance is at most x, from quantiles. */
export function shareUnder(x, levels, quantiles) {
  if (x < quantiles[0]) return 0;
  for (let place = 1; place < levels.length; place += 1) {
    if (x < quantiles[place]) {
      const step = quantiles[place] - quantiles[place - 1];
      const part = step > 0 ? (x - quantiles[place - 1]) / step : 1;
      return levels[place - 1] + part * (levels[place] - levels[place - 1]);
    }
  }
  return 1;
}

function heap(levels, quantiles, from, to, className) {
  const samples = 160, reach = (to - from) * 0.02;
  const xs = Array.from({ length: samples + 1 }, (_, place) => from + (to - from) * place / samples);
  // The slope of the smoothed distribution is the density.
  const smooth = (x) => [-1.5, -1, -0.5, 0, 0.5, 1, 1.5].reduce((sum, step) => sum + shareUnder(x + step * reach, levels, quantiles), 0) / 7;
  const density = xs.map((x) => Math.max(0, smooth(x + reach) - smooth(x - reach)));
  return { xs, density, className, most: Math.max(...density) };
}

export function distanceScale(distance, threshold, spread) {
  const highest = Math.max(threshold * 2, distance * 1.08, spread ? spread.non_mated.at(-1) : 0);
  const x = (value) => LEFT + (RIGHT - LEFT) * value / highest;
  const here = x(distance), tau = x(threshold);
  const parts = [];
  if (spread) {
    const heaps = [heap(spread.levels, spread.mated, 0, highest, "mated"), heap(spread.levels, spread.non_mated, 0, highest, "strangers")];
    for (const { xs, density, className, most } of heaps) {
      const points = xs.map((value, place) => `${x(value).toFixed(1)} ${(BASE - (BASE - TOP - 26) * density[place] / (most || 1)).toFixed(1)}`);
      parts.push(h("path", { class: className, d: `M${x(0)} ${BASE}L${points.join("L")}L${x(highest)} ${BASE}Z` }));
    }
    // Each on its side of the limit, so that they never meet.
    parts.push(h("text", { x: tau - 8, y: BASE - 10, class: "on-same", "text-anchor": "end" }, "same person"));
    parts.push(h("text", { x: tau + 8, y: BASE - 10, class: "on-other", "text-anchor": "start" }, "different people"));
  } else {
    parts.push(h("rect", { class: "mated", x: x(0), y: BASE - 26, width: Math.max(0, tau - x(0)), height: 26, rx: 4 }));
    parts.push(h("rect", { class: "strangers", x: tau, y: BASE - 26, width: RIGHT - tau, height: 26, rx: 4 }));
    parts.push(h("text", { x: (x(0) + tau) / 2, y: BASE - 8, class: "on-same", "text-anchor": "middle" }, "same"));
    parts.push(h("text", { x: (tau + RIGHT) / 2, y: BASE - 8, class: "on-other", "text-anchor": "middle" }, "different"));
  }
  const anchor = (at) => (at < 90 ? "start" : at > WIDTH - 90 ? "end" : "middle");
  parts.push(
    h("line", { class: "axis", x1: LEFT, x2: RIGHT, y1: BASE, y2: BASE }),
    h("line", { class: "tau", x1: tau, x2: tau, y1: TOP - 10, y2: BASE + 8 }),
    h("text", { x: tau, y: TOP - 17, class: "strong", "text-anchor": anchor(tau) }, `limit ${number(threshold)}`),
    h("line", { class: "here-line", x1: here, x2: here, y1: BASE - 8, y2: BASE + 16 }),
    h("circle", { class: "here", cx: here, cy: BASE, r: 8 }),
    h("text", { x: here, y: BASE + 34, class: "strong", "text-anchor": anchor(here) }, `distance ${number(distance)}`),
  );
  if (here > 110) parts.push(h("text", { class: "aside", x: LEFT, y: BASE + 34 }, "alike"));
  if (here < WIDTH - 140) parts.push(h("text", { class: "aside", x: RIGHT, y: BASE + 34, "text-anchor": "end" }, "unlike"));
  const words = `Distance ${number(distance)} on a scale from 0 to ${number(highest, 2)}; the threshold τ is ${number(threshold)}.`;
  return h("svg", { class: "scale", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words }, parts);
}

/** The same in a sentence, for everybody; claims no finer share than the data's. */
export function scaleWords(distance, point) {
  const spread = point.distances;
  if (!spread) return "";
  const lessAlike = 1 - shareUnder(distance, spread.levels, spread.mated);
  return `Of the calibration's pairs of one person (${point.mated_pairs.toLocaleString("en")}), ${shareWords(lessAlike, 1 - spread.levels.at(-2))} were less alike than this; `
    + `of its pairs of different people (${point.non_mated_pairs.toLocaleString("en")}), ${strangersAsNear(distance, point)} were this alike or more.`;
}

/** Between the outermost quantiles and the extremes nothing is known but the bound. */
function shareWords(share, finest) {
  if (share <= 0) return "none";
  if (share >= 1) return "all";
  if (share < finest) return `fewer than ${percent(finest)}`;
  return share > 1 - finest ? `more than ${percent(1 - finest)}` : percent(share);
}

function strangersAsNear(distance, point) {
  const { levels, non_mated: quantiles } = point.distances;
  if (distance < quantiles[0]) return "none";
  // The low end of the curve was measured more finely than the quantiles.
  const bound = (point.tail ?? []).find((item) => item.threshold >= distance);
  if (bound) return `at most ${percent(bound.fmr)}`;
  return shareWords(shareUnder(distance, levels, quantiles), levels[1]);
}
