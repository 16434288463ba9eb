// Search where the pages are files on a disk. Browsers start no workers there, so the search's script runs in a hidden frame.
// The theme's script knows such a frame by the name IFrameWorker, and awaits importScripts in it.

class IFrameWorker extends EventTarget {
  onmessage = null;

  constructor(url) {
    super();
    const frame = Object.assign(document.createElement("iframe"), { hidden: true });
    document.body.append(frame);
    this.frame = frame;
    const inside = frame.contentWindow;
    const load = (source) => new Promise((loaded, failed) => {
      const script = Object.assign(inside.document.createElement("script"), { src: source, onload: loaded, onerror: failed });
      inside.document.body.append(script);
    });
    inside.importScripts = async (...sources) => { for (const source of sources) await load(source); };
    inside.postMessage = (data) => {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      this.onmessage?.(event);
    };
    this.ready = load(new URL(url, location.href).href);
  }

  async postMessage(data) {
    await this.ready;
    this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
  }

  terminate() { this.frame.remove(); }
}

if (location.protocol === "file:") {
  window.IFrameWorker = IFrameWorker;
  window.Worker = IFrameWorker;
}
