"use strict";

/** A table that can be searched, filtered and sorted with the controls above it. */
class ReportTable {
  constructor(key, fields, view) {
    this.key = key;
    this.fields = fields;
    this.view = view;
    this.source = view.model.source;
    this.controls = document.getElementById(`${key}-controls`);
    this.status = document.getElementById(`${key}-status`);
    this.length = this.source.get_length() ?? 0;
    this.orders = new Map();
    view.data.sort = (columns) => this.arrange(columns);
    this.fill();
    this.controls.addEventListener("submit", (event) => event.preventDefault());
    this.controls.addEventListener("input", (event) => this.change(event.target.name));
    this.controls.addEventListener("reset", () => setTimeout(() => this.reset()));
    // The table would take Tab as the way to the next of its cells, of which there are many.
    const leave = (event) => event.key === "Tab" && event.stopPropagation();
    document.getElementById(`${key}-grid`).addEventListener("keydown", leave, true);
    // After a click on the title of a column, the controls show the order too.
    view.grid.onSort.subscribe(() => this.show_order());
    this.count(this.length);
  }

  /** Values of a column by its name, undefined if there is none. */
  column(name) {
    const found = this.fields.find((each) => each.name === name);
    return found && this.source.get_column(found.field);
  }

  control(name) {
    return this.controls.elements.namedItem(name);
  }

  fill() {
    const sort = this.control("sort");
    sort.append(new Option("the first order", ""), ...this.fields.map((f) => new Option(f.name, f.field)));
    const groups = this.column("group");
    this.control("group").append(new Option("all", ""));
    if (groups) {
      const names = Array.from(new Set(groups)).sort();
      this.control("group").append(...names.map((name) => new Option(name)));
      this.control("group").parentElement.hidden = false;
    }
    if (this.column("kept")) this.control("kept").parentElement.hidden = false;
  }

  change(name) {
    if (name === "sort" || name === "order") this.sort();
    else this.filter();
  }

  reset() {
    this.sort();
    this.filter();
  }

  /** Text of each row in lower case; made when it is first searched. */
  texts() {
    if (!this.lower) {
      const columns = this.fields.filter((f) => f.kind === "text").map((f) => this.source.get_column(f.field));
      this.lower = Array.from({ length: this.length }, (_, k) =>
        columns.map((column) => column[k]).join("\t").toLowerCase());
    }
    return this.lower;
  }

  /** Tests of single rows for the controls that are not empty. */
  tests() {
    const tests = [];
    const value = (name) => this.control(name)?.value ?? "";
    const search = value("search").trim().toLowerCase();
    if (search) {
      const texts = this.texts();
      tests.push((k) => texts[k].includes(search));
    }
    for (const name of ["group", "kept"]) {
      const column = this.column(name);
      const wanted = value(name);
      if (wanted && column) tests.push((k) => column[k] === wanted);
    }
    for (const name of ["TF", "target"]) {
      const column = this.column(name);
      const wanted = value(name).trim().toLowerCase();
      if (wanted && column) tests.push((k) => column[k].toLowerCase() === wanted);
    }
    const coefs = this.column("coef");
    const sign = Number(value("sign"));
    const least = Number(value("coef"));
    if (sign) tests.push((k) => coefs[k] * sign > 0);
    if (least > 0) tests.push((k) => Math.abs(coefs[k]) >= least);
    return tests;
  }

  filter() {
    const tests = this.tests();
    const shown = new Array(this.length);
    let n_shown = 0;
    for (let k = 0; k < this.length; k++) {
      shown[k] = tests.every((test) => test(k));
      n_shown += shown[k];
    }
    this.source.selected.indices = [];
    this.view.model.view.filter.booleans = shown;
    this.view.grid.scrollRowToTop(0);
    this.count(n_shown);
  }

  count(n) {
    const of = this.length.toLocaleString("en");
    this.status.textContent = `${n.toLocaleString("en")} of ${of} rows are shown.`;
  }

  sort() {
    const field = this.control("sort").value;
    const column = this.view.grid.getColumns().find((each) => each.field === field);
    const ascending = this.control("order").value !== "";
    this.view.grid.setSortColumns(column ? [{ columnId: column.id, sortAsc: ascending }] : []);
    this.view.updateGrid();
  }

  /**
   * Put the shown rows into an order, in place of the method of the data, which compares all rows
   * again after each filter.
   */
  arrange(columns) {
    const { data } = this.view;
    const is_shown = new Uint8Array(this.length);
    for (const k of data.index) is_shown[k] = 1;
    const [sort] = columns;
    const order = sort ? this.order(sort.sortCol.field, sort.sortAsc) : Array.from(is_shown.keys());
    data.index = order.filter((k) => is_shown[k]);
  }

  /** All rows in the order of a column, those without a value last. */
  order(field, ascending) {
    const key = `${field} ${ascending}`;
    if (!this.orders.has(key)) {
      const column = this.source.get_column(field);
      const is_text = this.fields.find((each) => each.field === field).kind === "text";
      const is_missing = (k) => (is_text ? column[k] === "" : Number.isNaN(column[k]));
      const rows = Array.from(column.keys());
      const { compare } = new Intl.Collator("en", { numeric: true });
      const by_value = is_text ? (a, b) => compare(column[a], column[b]) : (a, b) => column[a] - column[b];
      // Infinities have no difference.
      const present = rows.filter((k) => !is_missing(k))
        .sort((a, b) => (ascending ? 1 : -1) * (by_value(a, b) || 0) || a - b);
      this.orders.set(key, [...present, ...rows.filter(is_missing)]);
    }
    return this.orders.get(key);
  }

  show_order() {
    const [order] = this.view.grid.getSortColumns();
    if (!order) return;
    const columns = this.view.grid.getColumns();
    this.control("sort").value = columns.find((each) => each.id === order.columnId).field;
    this.control("order").value = order.sortAsc ? "1" : "";
  }

  /** Show only the rows with these values of the controls. */
  show(values) {
    this.controls.reset();
    for (const [name, value] of Object.entries(values)) this.control(name).value = value;
    // After the event of the reset.
    setTimeout(() => this.filter());
  }
}
