"use strict";

const COLOURS = { activation: "#d55e00", repression: "#0072b2", tf: "#333333", gene: "#8a8a8a" };

/** The picture of a part of the network, the lists beside it, and their controls. */
class ReportNetwork {
  constructor(view, table, on_show) {
    this.view = view;
    this.plot = view.model;
    this.table = table;
    this.on_show = on_show;
    this.graph = this.plot.renderers.find((each) => each.name === "graph");
    this.labels = this.plot.renderers.find((each) => each.name === "labels").data_source;
    this.nodes = this.graph.node_renderer.data_source;
    this.edges = this.graph.edge_renderer.data_source;
    this.controls = document.getElementById("network-controls");
    this.status = document.getElementById("network-status");
    this.lists = document.getElementById("neighbours");
    this.tfs = table.column("TF");
    this.targets = table.column("target");
    this.coefs = table.column("coef");
    this.groups = table.column("group");
    this.kept = table.column("kept");
    this.by_name = new Map([...this.tfs, ...this.targets].map((name) => [name.toLowerCase(), name]));
    for (const name of [...this.tfs, ...this.targets]) this.by_name.set(name, name);
    this.tf_names = new Set(this.tfs);
    this.history = [];
    this.gene = null;
    this.fill();
    this.listen();
    this.draw();
  }

  control(name) {
    return this.controls.elements.namedItem(name);
  }

  fill() {
    const links = this.control("links");
    const n_kept = this.kept ? this.kept.filter((word) => word === "yes").length : 0;
    const all = this.coefs.length.toLocaleString("en");
    if (n_kept) links.append(new Option(`kept by all tests (${n_kept.toLocaleString("en")})`, "kept"));
    links.append(new Option(`all (${all})`, "all"));
    if (this.groups) {
      const names = Array.from(new Set(this.groups)).sort();
      this.control("group").append(...names.map((name) => new Option(name)));
      this.control("group").parentElement.hidden = false;
    }
  }

  listen() {
    this.controls.addEventListener("submit", (event) => {
      event.preventDefault();
      this.search();
    });
    this.controls.addEventListener("change", (event) => {
      if (event.target.name === "gene") this.search();
      else this.draw();
    });
    const actions = {
      overview: () => this.show(null), back: () => this.back(), fit: () => this.fit(),
      in: () => this.zoom(0.8), out: () => this.zoom(1.25),
    };
    for (const [name, action] of Object.entries(actions)) this.control(name).addEventListener("click", action);
    document.getElementById("plot").addEventListener("keydown", (event) => this.press(event));
    this.nodes.selected.properties.indices.change.connect(() => this.click());
    this.drag();
    // The tooltips of some versions of Bokeh take names for HTML.
    this.plot.on_event("mousemove", ({ x, y }) => {
      const k = this.nearest(x, y);
      const { name, role } = this.nodes.data;
      document.getElementById("plot").title = k === null ? "" : `${name[k]} (${role[k]})`;
    });
  }

  search() {
    const text = this.control("gene").value.trim();
    const name = this.by_name.get(text) ?? this.by_name.get(text.toLowerCase());
    if (!text) this.show(null);
    else if (name !== undefined) this.show(name);
    else this.status.textContent = `No TF or target of a link is named ${text}.`;
  }

  click() {
    const [k] = this.nodes.selected.indices;
    if (k === undefined) return;
    this.nodes.selected.indices = [];
    this.show(this.nodes.data.name[k]);
  }

  /** Show a gene with its regulators and targets; the strongest links if it is null. */
  show(gene) {
    if (gene !== this.gene) this.history.push(this.gene);
    this.gene = gene;
    this.draw();
  }

  back() {
    this.gene = this.history.pop() ?? null;
    this.draw();
  }

  /** Rows of the links of this view, strongest first, as those of the table are. */
  rows() {
    const group = this.groups ? this.control("group").value : null;
    const only_kept = this.control("links").value === "kept";
    const rows = [];
    for (let k = 0; k < this.coefs.length; k++) {
      if (only_kept && this.kept[k] !== "yes") continue;
      if (this.groups && this.groups[k] !== group) continue;
      if (this.gene === null || this.tfs[k] === this.gene || this.targets[k] === this.gene) rows.push(k);
    }
    return rows;
  }

  draw() {
    const rows = this.rows();
    const most = Math.min(Math.max(Math.floor(Number(this.control("most").value)) || 1, 1), 1000);
    const drawn = rows.slice(0, most);
    const nodes = this.gene === null ? this.overview(drawn) : this.around(drawn);
    this.put(drawn, nodes);
    this.fit();
    this.control("gene").value = this.gene ?? "";
    this.control("back").disabled = !this.history.length;
    this.describe(rows, drawn);
    this.list(rows);
  }

  /** Nodes with their places and labels, by name. */
  overview(rows) {
    const names = Array.from(new Set(rows.flatMap((k) => [this.tfs[k], this.targets[k]])));
    const index = new Map(names.map((name, k) => [name, k]));
    const links = rows.map((k) => [index.get(this.tfs[k]), index.get(this.targets[k])]);
    const places = layouts.discs(names.length, links);
    return new Map(names.map((name, k) => [name, places[k]]));
  }

  around(rows) {
    const nodes = new Map([[this.gene, { x: 0, y: 0, angle: null }]]);
    const regulators = rows.map((k) => this.tfs[k]).filter((name) => name !== this.gene);
    const targets = rows.map((k) => this.targets[k])
      .filter((name) => name !== this.gene && !regulators.includes(name));
    // Above are the regulators, below the targets, with as much room as they need.
    const share = regulators.length / Math.max(regulators.length + targets.length, 1);
    const half = Math.PI * (share === 0 || share === 1 ? share : Math.min(Math.max(share, 0.15), 0.85));
    const gap = share === 0 || share === 1 ? 0 : 0.1;
    const put = (names, from, to) => {
      const places = layouts.arc(names.length, from, to);
      names.forEach((name, k) => nodes.set(name, places[k]));
    };
    put(regulators, Math.PI / 2 - half + gap, Math.PI / 2 + half - gap);
    put(targets, Math.PI / 2 + half + gap, 2.5 * Math.PI - half - gap);
    return nodes;
  }

  put(rows, nodes) {
    const names = Array.from(nodes.keys());
    const index = new Map(names.map((name, k) => [name, k]));
    const is_tf = names.map((name) => this.tf_names.has(name));
    const strongest = Math.max(...rows.map((k) => Math.abs(this.coefs[k])), 1e-300);
    this.places = names.map((name) => nodes.get(name));
    this.edges.data = { start: [], end: [], width: [], colour: [] };
    this.nodes.data = {
      index: names.map((_, k) => k),
      name: names,
      role: is_tf.map((yes) => (yes ? "TF" : "target")),
      size: names.map((name, k) => (name === this.gene ? 18 : is_tf[k] ? 12 : 7)),
      marker: is_tf.map((yes) => (yes ? "triangle" : "circle")),
      colour: names.map((name, k) => (name === this.gene ? "#111111" : is_tf[k] ? COLOURS.tf : COLOURS.gene)),
    };
    this.place();
    this.edges.data = {
      start: rows.map((k) => index.get(this.tfs[k])),
      end: rows.map((k) => index.get(this.targets[k])),
      width: rows.map((k) => 0.7 + 4 * Math.abs(this.coefs[k]) / strongest),
      colour: rows.map((k) => (this.coefs[k] > 0 ? COLOURS.activation : COLOURS.repression)),
    };
  }

  /** Move the nodes and their labels to their places. */
  place() {
    const { name, role } = this.nodes.data;
    this.graph.layout_provider.graph_layout = new Map(this.places.map(({ x, y }, k) => [k, [x, y]]));
    const is_left = this.places.map(({ angle }) => angle !== null && Math.cos(angle) < 0);
    const is_flat = this.places.map(({ angle }) => angle === null);
    this.labels.data = {
      x: this.places.map((place) => place.x),
      y: this.places.map((place) => place.y),
      text: name.map((text) => (text.length > 24 ? `${text.slice(0, 23)}…` : text)),
      angle: this.places.map(({ angle }, k) => (is_flat[k] ? 0 : is_left[k] ? angle + Math.PI : angle)),
      align: is_left.map((left) => (left ? "right" : "left")),
      font_size: name.map((text, k) => (text === this.gene ? "16px" : role[k] === "TF" ? "13px" : "11px")),
      x_offset: is_left.map((left) => (left ? -8 : 8)),
    };
  }

  fit() {
    const xs = this.places.map(({ x }) => x);
    const ys = this.places.map(({ y }) => y);
    const [left, right] = xs.length ? [Math.min(...xs), Math.max(...xs)] : [-1, 1];
    const [low, high] = ys.length ? [Math.min(...ys), Math.max(...ys)] : [-1, 1];
    const wide = (this.plot.inner_width || 700) / (this.plot.inner_height || 600);
    // Room for labels at the sides.
    const height = Math.max(high - low, (right - left) / wide, 1) * 1.3;
    const [x, y] = [(left + right) / 2, (low + high) / 2];
    this.range(x - (height * wide) / 2, x + (height * wide) / 2, y - height / 2, y + height / 2);
  }

  range(left, right, low, high) {
    this.plot.x_range.setv({ start: left, end: right });
    this.plot.y_range.setv({ start: low, end: high });
  }

  zoom(factor) {
    const { x_range: x, y_range: y } = this.plot;
    const scaled = ({ start, end }) => {
      const [middle, half] = [(start + end) / 2, ((end - start) * factor) / 2];
      return [middle - half, middle + half];
    };
    this.range(...scaled(x), ...scaled(y));
  }

  press(event) {
    const { x_range: x, y_range: y } = this.plot;
    const [dx, dy] = [(x.end - x.start) / 10, (y.end - y.start) / 10];
    const moves = { ArrowLeft: [-dx, 0], ArrowRight: [dx, 0], ArrowUp: [0, dy], ArrowDown: [0, -dy] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) {
      const [right, up] = moves[event.key];
      this.range(x.start + right, x.end + right, y.start + up, y.end + up);
    } else if (event.key === "+" || event.key === "-") this.zoom(event.key === "+" ? 0.8 : 1.25);
    else return;
    event.preventDefault();
  }

  /** Let genes be dragged; the tool that moves all rests meanwhile. */
  drag() {
    let held = null;
    const pan = this.plot.toolbar.tools.find((tool) => tool.type === "PanTool");
    const end = () => {
      if (held === null) return;
      held = null;
      pan.active = true;
    };
    this.plot.on_event("panstart", ({ x, y }) => {
      if (!pan.active) return;
      held = this.nearest(x, y);
      if (held !== null) pan.active = false;
    });
    this.plot.on_event("pan", ({ x, y }) => {
      if (held === null) return;
      this.places[held] = { ...this.places[held], x, y };
      this.place();
    });
    this.plot.on_event("panend", end);
  }

  /** The node at most 12 pixels away from a place, or null. */
  nearest(x, y) {
    const { start, end } = this.plot.x_range;
    const reach = (12 * (end - start)) / (this.plot.inner_width || 700);
    const distances = this.places.map((place) => Math.hypot(place.x - x, place.y - y));
    const least = Math.min(...distances, Infinity);
    return least <= reach ? distances.indexOf(least) : null;
  }

  describe(rows, drawn) {
    const n = (count) => count.toLocaleString("en");
    const left_out = rows.length - drawn.length;
    const which = left_out ? `The ${n(drawn.length)} strongest are drawn, ${n(left_out)} are not.` : "All are drawn.";
    if (!rows.length) this.status.textContent = `${this.gene ?? "This network"} has no links here.`;
    else if (this.gene === null) this.status.textContent = `${n(rows.length)} links. ${which}`;
    else {
      const n_targets = rows.filter((k) => this.tfs[k] === this.gene).length;
      const n_tfs = rows.filter((k) => this.targets[k] === this.gene).length;
      this.status.textContent = `${this.gene}: ${n(n_targets)} targets, ${n(n_tfs)} regulators. ${which}`;
    }
  }

  /** List what is drawn as buttons: TFs, or the regulators and targets of the gene. */
  list(rows) {
    this.lists.replaceChildren();
    if (this.gene === null) {
      const counts = new Map();
      for (const k of rows) counts.set(this.tfs[k], (counts.get(this.tfs[k]) ?? 0) + 1);
      const tfs = Array.from(counts).sort((a, b) => b[1] - a[1]);
      this.add_list("TFs by links", tfs.map(([name, count]) => [name, count.toLocaleString("en")]));
      return;
    }
    const own = (names, others) => rows.filter((k) => names[k] === this.gene)
      .map((k) => [others[k], (this.coefs[k] > 0 ? "+" : "−") + Math.abs(this.coefs[k]).toPrecision(2)]);
    const targets = own(this.tfs, this.targets);
    this.add_list("Regulators", own(this.targets, this.tfs));
    this.add_list("Activated targets", targets.filter(([, text]) => text.startsWith("+")));
    this.add_list("Repressed targets", targets.filter(([, text]) => text.startsWith("−")));
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show these links in the table";
    button.addEventListener("click", () => this.on_show(this.gene, this.tf_names.has(this.gene)));
    this.lists.append(button);
  }

  add_list(title, entries) {
    if (!entries.length) return;
    const heading = document.createElement("h3");
    heading.textContent = `${title} (${entries.length.toLocaleString("en")})`;
    const list = document.createElement("ul");
    for (const [name, text] of entries.slice(0, 300)) {
      const [item, button] = [document.createElement("li"), document.createElement("button")];
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", () => this.show(name));
      item.append(button, ` ${text}`);
      list.append(item);
    }
    this.lists.append(heading, list);
    if (entries.length > 300) this.lists.append(`${entries.length - 300} more: see the table.`);
  }
}
