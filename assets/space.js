// The toy with three weights: a region around w and around Aw as meshes, and the loss surface of the maximum around w.
// All numbers come from the server (samviz/ui/space_picture.py); Plotly, a large library, is loaded when the section is
// first opened.

import { element } from "./controls.js";
import { fetchJson, latest } from "./latest.js";
import { readTheme } from "./plane.js";
import { borrowStyles, loadPlotly } from "./plotly.js";

const CAMERA = { eye: { x: -1.15, y: -1.65, z: 0.75 }, center: { x: 0, y: 0, z: -0.14 } };
const CONFIG = { displayModeBar: false, responsive: false, scrollZoom: false };

export class Space {
  /**
   * @param regions names of the regions to choose from
   * @param rows the rows of its settings: a, b, rho and eta
   * @param choose called with the name of the chosen region
   * @param look called with whether the section is open, when a person has opened or closed it
   * @param turned called with the place of the camera, "x,y,z", when a person has turned it; "" is as at first
   * @param complain called with the sentence of an error
   */
  constructor({ regions, rows, choose, look, turned, complain }) {
    this.rows = rows;
    this.turned = turned;
    this.eye = "";
    this.given = this.camera;
    this.asked = null; // the query of the last question
    this.picture = null; // the last answer
    this.drawn = null; // the answer that is on the screen
    this.revision = 0;
    this.select = element(
      "select",
      { "aria-label": "region in space", change: () => choose(this.select.value) },
      ...regions.map((name) => element("option", { value: name }, name)),
    );
    this.plot = element("div", { class: "plot" });
    this.sentence = element("p", { class: "summary", "aria-live": "polite" }, "Loading…");
    const reset = element("button", { type: "button", class: "text", click: () => this.resetCamera() }, "Reset view");
    const mark = (kind, text) => element("span", {}, element("i", { class: kind }), text);
    this.node = element(
      "details",
      { class: "space" },
      element("summary", {}, "In three dimensions: |w₁·ReLU(w₂)·ReLU(w₃) − c|, A = diag(a, b, 1/(ab))"),
      element(
        "div",
        { class: "in-space" },
        element(
          "div",
          {},
          this.plot,
          element(
            "p",
            { class: "legend" },
            mark("dot blue", "region around w"),
            mark("dot orange", "region around w′ = Aw"),
            mark("dot red", "maximum loss around w"),
            mark("square", "worst points, exact"),
          ),
        ),
        element(
          "div",
          { class: "settings" },
          element("div", { class: "row choice" }, element("span", { class: "name" }, "region"), this.select),
          rows.a,
          rows.b,
          rows.rho,
          rows.eta,
          element("div", { class: "bar" }, reset),
          this.sentence,
        ),
      ),
    );
    this.node.addEventListener("toggle", () => this.node.open !== this.open && look((this.open = this.node.open)));
    this.remote = latest(
      async (query) => {
        const [picture, Plotly] = await Promise.all([fetchJson(`/api/toy/space?${query}`), loadPlotly()]);
        return { picture, Plotly };
      },
      ({ picture, Plotly }) => {
        this.Plotly = Plotly;
        this.picture = picture;
        this.sentence.textContent = picture.sentence;
        this.node.dataset.verdict = picture.verdict;
        this.draw();
      },
      (error) => {
        this.asked = null;
        complain(error.message);
      },
    );
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.plot);
  }

  get camera() {
    const camera = structuredClone(CAMERA);
    if (this.eye) [camera.eye.x, camera.eye.y, camera.eye.z] = this.eye.split(",").map(Number);
    return camera;
  }

  /** Show settings that came from elsewhere: whether it is open, the region, and from where it is seen. */
  set(open, region, eye) {
    if (eye !== this.eye) {
      this.eye = eye;
      this.look();
    }
    this.open = this.node.open = open;
    this.select.value = region;
    this.rows.eta.hidden = region === "sphere";
  }

  /** Follow the settings, if anybody looks. */
  ask(query) {
    if (!this.open) return;
    if (query !== this.asked) this.remote.ask((this.asked = query));
    else if (this.drawn !== this.picture) this.draw();
  }

  close() {
    this.remote.close();
    this.sizes.disconnect();
    this.Plotly?.purge(this.plot);
  }

  resetCamera() {
    this.eye = "";
    this.turned("");
    this.look();
  }

  /** Look from the eye. What a hand has turned stays as it is, to the last digit, as long as this camera is the same. */
  look() {
    this.given = this.camera;
    if (this.revision > 0) this.Plotly.relayout(this.plot, { "scene.camera": this.camera });
  }

  /** A person has turned the picture. */
  seen(eye) {
    this.eye = [eye.x, eye.y, eye.z].map((x) => Number(x.toFixed(4))).join(",");
    this.turned(this.eye);
  }

  resize() {
    // Plotly refuses to resize what is not on the screen.
    if (this.plot.layout && this.plot.getClientRects().length) this.Plotly.Plots.resize(this.plot);
  }

  async draw() {
    if (!this.picture || !this.open) return;
    this.drawn = this.picture;
    const { here, there, surface, top } = this.picture;
    const theme = readTheme(this.node);
    const orange = getComputedStyle(this.node).getPropertyValue("--st-orange-color").trim() || "#e07000";
    // The surface is a mesh too: Plotly's surfaces take five times as long to draw.
    const mesh = (numbers, color, opacity) => ({
      type: "mesh3d",
      ...numbers,
      color,
      opacity,
      flatshading: numbers.x.length === 8, // a cuboid
      lighting: { ambient: 0.65, diffuse: 0.5, specular: 0.1, roughness: 0.8 },
      hoverinfo: "skip",
    });
    const lines = [here.w, here.worst, [null, null, null], there.w, there.worst];
    const marks = [here.w, there.w, here.worst, there.worst];
    const axis = (title) => ({
      title: { text: title },
      range: [0, top],
      gridcolor: "#999",
      zerolinecolor: "#999",
      showbackground: false,
      showspikes: false,
      nticks: 5,
    });
    const data = [
      mesh(here.mesh, theme.blue, 0.45),
      mesh(there.mesh, orange, 0.45),
      mesh(surface, theme.red, 0.35),
      {
        type: "scatter3d",
        mode: "lines",
        x: lines.map((point) => point[0]),
        y: lines.map((point) => point[1]),
        z: lines.map((point) => point[2]),
        line: { color: theme.text, width: 3 },
        hoverinfo: "skip",
      },
      {
        type: "scatter3d",
        mode: "markers+text",
        x: marks.map((point) => point[0]),
        y: marks.map((point) => point[1]),
        z: marks.map((point) => point[2]),
        text: ["w", "w′", "", ""],
        textposition: "bottom center",
        textfont: { color: theme.text, size: 14 },
        hovertemplate: "(%{x:.3f}, %{y:.3f}, %{z:.3f})<extra></extra>",
        marker: {
          color: theme.text,
          size: [5, 5, 4, 4],
          symbol: ["circle", "diamond", "square", "square"],
        },
      },
    ];
    const layout = {
      uirevision: "space", // the camera stays where the reader has put it
      autosize: true,
      showlegend: false,
      paper_bgcolor: "rgba(0,0,0,0)",
      font: { family: theme.font, color: theme.text, size: 12 },
      margin: { l: 0, r: 0, t: 0, b: 0 },
      scene: {
        uirevision: "space",
        aspectmode: "cube",
        camera: structuredClone(this.given),
        dragmode: "orbit",
        xaxis: axis("w₁"),
        yaxis: axis("w₂"),
        zaxis: axis("w₃"),
      },
    };
    await this.Plotly.react(this.plot, data, layout, CONFIG);
    if (this.revision === 0) {
      this.plot.on("plotly_relayout", (change) => {
        const { eye } = change["scene.camera"] ?? {};
        if (eye && JSON.stringify(eye) !== JSON.stringify(this.camera.eye)) this.seen(eye);
      });
    }
    borrowStyles(this.node.getRootNode());
    this.revision += 1;
    this.plot.dataset.there = there.w.map((value) => value.toFixed(4)).join(",");
    this.plot.dataset.revision = this.revision;
  }
}
