// Plotly in a component: the library, loaded once, and its styles where a shadow root keeps them out.

import { element } from "./controls.js";

let loading = null;

/** Plotly, loaded once for all components of the page. */
export function loadPlotly() {
  loading ??= new Promise((done, fail) => {
    if (window.Plotly) return done(window.Plotly);
    const script = element("script", { src: "/vendor/plotly.min.js", load: () => done(window.Plotly) });
    script.addEventListener("error", () => {
      loading = null;
      script.remove();
      fail(new Error("plotly.js did not load"));
    });
    document.head.append(script);
  });
  return loading;
}

/** Plotly writes its style rules into the document's head; a shadow root does not see those, so it gets a copy. */
export function borrowStyles(root) {
  if (!(root instanceof ShadowRoot) || root.querySelector("style[data-plotly]")) return;
  const source = document.getElementById("plotly.js-style-global");
  if (!source) return;
  const rules = [...source.sheet.cssRules].map((rule) => rule.cssText);
  const style = element("style", { "data-plotly": true });
  style.textContent = rules.join("\n");
  root.append(style);
}
