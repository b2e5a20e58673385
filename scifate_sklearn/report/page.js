"use strict";

const report = { tables: [], network: null, is_ready: false };

report.start = async () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  for (const { key, fields, item } of data.tables) {
    const [view] = await Bokeh.embed.embed_item(item, `${key}-grid`);
    report.tables.push(new ReportTable(key, fields, view));
  }
  const [links, tfs] = report.tables;
  report.suggest("tf-names", links.column("TF"));
  report.suggest("genes", [...links.column("TF"), ...links.column("target")]);
  const [plot] = await Bokeh.embed.embed_item(data.network, "plot");
  report.network = new ReportNetwork(plot, links, (gene, is_tf) => {
    links.show({ [is_tf ? "TF" : "target"]: gene });
    document.getElementById(links.key).scrollIntoView();
    links.control("search").focus({ preventScroll: true });
  });
  for (const table of [links, tfs]) report.follow(table);
  report.is_ready = true;
};

/** Show the TF of the selected row in the network. */
report.follow = (table) => {
  table.source.selected.properties.indices.change.connect(() => {
    const [k] = table.source.selected.indices;
    const groups = table.column("group");
    if (k === undefined) return;
    if (groups) report.network.control("group").value = groups[k];
    report.network.show(table.column("TF")[k]);
  });
};

report.suggest = (id, names) => {
  const options = Array.from(new Set(names)).sort().map((name) => new Option("", name));
  document.getElementById(id).append(...options);
};

report.copy = () => {
  const text = document.getElementById("methods-text");
  const range = document.createRange();
  range.selectNodeContents(text);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  // Works in pages that are opened from a disk, where the clipboard may be closed to scripts.
  const is_copied = document.execCommand("copy");
  document.getElementById("copy-status").textContent = is_copied ? "Copied." : "Selected: press Ctrl+C.";
};

document.getElementById("copy").addEventListener("click", report.copy);
report.start().catch((error) => {
  const failure = document.getElementById("failure");
  failure.textContent = `The tables and the network cannot be shown: ${error.message}`;
  failure.hidden = false;
  throw error;
});
