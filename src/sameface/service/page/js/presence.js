// A session of liveness: pictures say what to do, frames go to the server one at a time, and the server judges.

import { call, formOf } from "./api.js";
import { closeCamera, frameOf, openCamera } from "./camera.js";
import { fault, h, say } from "./dom.js";

const PAUSE = 40; // ms between an answer and the next frame

/** A head, drawn from a few lines: where it looks, or how large it is; arrows say the way. Drawn as in a mirror. */
function drawing(action, movedBy) {
  const shift = { left: [-16, 0], right: [16, 0], up: [0, -13], down: [0, 13] }[action] ?? [0, 0];
  const size = { nearer: 1.25, farther: 0.75 }[action] ?? 1;
  const arrow = {
    left: "M46 100H14m12-12-12 12 12 12", right: "M154 100h32m-12-12 12 12-12 12",
    up: "M100 34V8m-11 11 11-11 11 11", down: "M100 166v26m-11-11 11 11 11-11",
    nearer: "M40 40 24 24m0 13V24h13M160 160l16 16m0-13v13h-13M160 40l16-16m-13 0h13v13M40 160l-16 16m13 0H24v-13",
    farther: "M24 24l16 16m0-13v13H27M176 176l-16-16m0 13v-13h13M176 24l-16 16m13 0h-13V27M24 176l16-16m-13 0h13v13",
  }[action];
  const [x, y] = shift;
  const head = h("g", { transform: `translate(${100 - 100 * size} ${100 - 100 * size}) scale(${size})` },
    h("path", { class: "head", d: "M100 44c30 0 44 22 44 52 0 34-20 60-44 60s-44-26-44-60c0-30 14-52 44-52z" }),
    h("circle", { cx: 82 + x, cy: 92 + y, r: 5 }), h("circle", { cx: 118 + x, cy: 92 + y, r: 5 }),
    h("path", { d: `M${100 + 1.25 * x} ${97 + 1.25 * y}l-5 18h10` }),
    h("path", { d: `M${85 + x} ${132 + y}h30` }));
  return h("svg", { viewBox: "0 0 200 200", class: `drawing ${movedBy}`, "aria-hidden": "true" },
    head, arrow && h("path", { class: "arrow", d: arrow }));
}

/** Shows a session; gives its id once it has passed. Ends by itself when the returned function is called. */
export async function presence(main) {
  const video = h("video", { autoplay: true, playsinline: true, muted: true, "aria-label": "Camera" });
  video.muted = true;
  const words = h("p", { class: "words", role: "status", "aria-live": "assertive" }, "A few movements show that somebody is here. Nothing is recorded.");
  const hint = h("p", { class: "hint" });
  const picture = h("div", { class: "guide" }, drawing("", "head"));
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Movements made" });
  const trouble = h("div");
  const camera = h("input", { type: "checkbox", id: "moved-by" });
  const button = h("button", { type: "button", class: "primary", onclick: () => (running ? stop() : start()) }, "Begin");
  let running = false;
  let stream = null;
  main.append(
    h("h1", {}, "Presence"),
    h("p", { class: "lead" }, "Is somebody here, or a picture of them? Do what the drawing shows. You need not smile."),
    // What to do comes first: on a phone it stands above the camera's picture, and the choice comes before the button.
    h("div", { class: "two told" },
      h("section", { class: "card presence" }, trouble, h("div", { class: "task" }, picture, h("div", {}, words, hint)), bar,
        h("label", { class: "check", for: "moved-by" }, camera, h("span", {}, "I cannot turn my head: I move the camera, or somebody moves it for me.")),
        h("div", { class: "actions start" }, button)),
      h("div", { class: "card live presence" }, video)),
  );

  async function start() {
    trouble.replaceChildren();
    running = true;
    button.textContent = "Stop";
    try {
      stream = await openCamera();
      video.srcObject = stream;
      await video.play();
      const movedBy = camera.checked ? "camera" : "head";
      const { session, prompt } = await call("POST", "liveness", { moved_by: movedBy });
      show(prompt, movedBy);
      await frames(session, movedBy);
    } catch (error) {
      trouble.replaceChildren(fault(error));
    }
    stop();
  }

  async function frames(session, movedBy) {
    let last = "";
    while (running) {
      const frame = await frameOf(video, 800, 0.88);
      const prompt = await call("POST", `liveness/${session}/frames`, await formOf({}, [["photo", frame]]));
      if (!running) return;
      show(prompt, movedBy);
      if (prompt.words !== last) say((last = prompt.words));
      if (prompt.phase === "passed" || prompt.phase === "failed") {
        if (prompt.phase === "passed") main.dispatchEvent(new CustomEvent("presence", { bubbles: true, detail: session }));
        return;
      }
      await new Promise((resolve) => { setTimeout(resolve, PAUSE); });
    }
  }

  function show(prompt, movedBy) {
    const chip = { passed: "same", failed: "other" }[prompt.phase];
    words.replaceChildren(chip ? h("strong", { class: `chip ${chip}` }, prompt.phase === "passed" ? "Somebody is here" : "Not shown") : "", ` ${prompt.words}`);
    hint.textContent = prompt.hint;
    picture.replaceChildren(drawing(prompt.action, movedBy));
    bar.value = Math.min(1, (prompt.done + (prompt.phase === "step" ? prompt.share : 0)) / prompt.steps);
  }

  function stop() {
    running = false;
    closeCamera(stream);
    stream = null;
    video.srcObject = null;
    button.textContent = "Begin again";
  }

  return stop;
}
