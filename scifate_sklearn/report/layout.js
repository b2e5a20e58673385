"use strict";

/** Places of nodes: the same for the same links. */
const layouts = {
  /**
   * Places of the nodes 0 to n - 1. A target with one link is beside its TF; each TF needs a disc
   * for its own targets and their labels. Links pull the discs together until they touch.
   */
  discs(n, links) {
    const neighbours = Array.from({ length: n }, () => new Set());
    for (const [i, j] of links) neighbours[i].add(j), neighbours[j].add(i);
    const is_leaf = neighbours.map((own, k) => own.size === 1 && !links.some(([i]) => i === k));
    const leaves = neighbours.map((own) => Array.from(own).filter((k) => is_leaf[k]));
    const centres = Array.from({ length: n }, (_, k) => k).filter((k) => !is_leaf[k])
      .sort((a, b) => leaves[b].length - leaves[a].length);
    const ring = leaves.map((own) => Math.max(1, (own.length * 0.45) / (2 * Math.PI)));
    const reach = leaves.map((own, k) => (own.length ? ring[k] + 2.4 : 1.1));
    const places = layouts.pack(centres, reach, links.filter((pair) => !pair.some((k) => is_leaf[k])));
    for (const centre of centres) {
      leaves[centre].forEach((leaf, k) => {
        const angle = ((k + 0.5) / leaves[centre].length) * 2 * Math.PI;
        const { x, y } = places[centre];
        places[leaf] = { x: x + ring[centre] * Math.cos(angle), y: y + ring[centre] * Math.sin(angle), angle };
      });
    }
    return places;
  },

  /** Places of discs with these radii that do not overlap; the picture is wider than high. */
  pack(centres, reach, links) {
    const places = [];
    centres.forEach((k, rank) => {
      const angle = rank * Math.PI * (3 - Math.sqrt(5));
      const radius = 3 * Math.sqrt(rank);
      places[k] = { x: 1.5 * radius * Math.cos(angle), y: radius * Math.sin(angle), angle: null };
    });
    const rounds = 300;
    for (let round = 0; round < rounds; round++) {
      const pull = 1 - round / rounds;
      for (const k of centres) {
        places[k].x *= 1 - 0.01 * pull;
        places[k].y *= 1 - 0.025 * pull;
      }
      for (const [i, j] of links) layouts.approach(places[i], places[j], reach[i] + reach[j], 0.03 * pull, false);
      for (const i of centres) {
        for (const j of centres) if (i < j) layouts.approach(places[i], places[j], reach[i] + reach[j], 0.5, true);
      }
    }
    return places;
  },

  /** Change the distance of two places by a share of what it lacks; only enlarge it if asked. */
  approach(a, b, distance, share, only_apart) {
    if (a === b) return;
    const [dx, dy] = [b.x - a.x || 1e-3, b.y - a.y || 1e-3];
    const found = Math.hypot(dx, dy);
    if (found >= distance === only_apart) return;
    const factor = (share * (distance - found)) / found / 2;
    a.x -= dx * factor;
    a.y -= dy * factor;
    b.x += dx * factor;
    b.y += dy * factor;
  },

  /** Places on an arc between two angles, in as many rings as labels need. */
  arc(n, from, to) {
    const rings = Math.max(1, Math.ceil(n / Math.max(1, Math.floor((to - from) * 9))));
    return Array.from({ length: n }, (_, k) => {
      const angle = from + ((k + 0.5) / n) * (to - from);
      const radius = 1 + 0.6 * (k % rings);
      return { x: radius * Math.cos(angle), y: radius * Math.sin(angle), angle };
    });
  },
};
