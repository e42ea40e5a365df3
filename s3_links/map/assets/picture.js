/* Lays out the map with dagre and draws it as SVG: in the page and, for a file, in Node.js. */
"use strict";

const SIGNS = { stays: "", appears: "+ ", disappears: "− " };
const KINDS = ["role", "user", "bucket", "key"];
const TOGETHER = 12; // nodes that are still read in one picture
const LONGEST = 30; // characters of a name or a line of a label; two thirds of it on a phone

function escaped(words) {
  return String(words).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/* Wide characters count twice; a long name loses its middle, the title beside it keeps all. */
function measured(words) {
  return [...words].reduce((sum, c) => sum + (c.charCodeAt(0) > 0x2e7f ? 2 : 1), 0);
}

function shortened(words, down) {
  const most = down ? (LONGEST * 2) / 3 : LONGEST;
  if (measured(words) <= most) return words;
  const all = [...words];
  const half = Math.floor(most / (measured(words) > all.length * 1.5 ? 4 : 2));
  return `${all.slice(0, half).join("")}⋯${all.slice(1 - half).join("")}`;
}

function lines(edge, words, down) {
  const told = edge.labels.map((label) => SIGNS[edge.state] + shortened(label, down));
  if (told.length > 3) told.splice(2, told.length, `${SIGNS[edge.state]}+${edge.labels.length - 2} ⋯`);
  if (edge.missing) told.push(`✗ ${words(edge.missing)}`);
  return told;
}

function boxTitle({ name, id }) {
  return [name, id].filter(Boolean).join("  ");
}

/* What is apart is drawn apart, unless all of it is small: nodes of one link belong together. */
function parts(graph) {
  if (graph.nodes.length <= TOGETHER) return graph.edges.length ? [graph] : [];
  const parent = new Map();
  const root = (id) => {
    while (parent.has(id) && parent.get(id) !== id) id = parent.get(id);
    return id;
  };
  for (const edge of graph.edges) {
    const links = edge.grants.map((grant) => `link ${grant.link}`);
    for (const id of [edge.target, ...links]) parent.set(root(id), root(edge.source));
  }
  const found = new Map();
  const of = (id) => {
    const key = root(id);
    if (!found.has(key)) found.set(key, { accounts: graph.accounts, nodes: [], edges: [] });
    return found.get(key);
  };
  for (const node of graph.nodes) of(node.id).nodes.push(node);
  for (const edge of graph.edges) of(edge.source).edges.push(edge);
  const first = (part) => part.edges.map((edge) => edge.grants[0].link).sort()[0];
  return [...found.values()]
    .filter((part) => part.edges.length)
    .sort((a, b) => (first(a) < first(b) ? -1 : 1));
}

/* Sizes are rounded: links that are alike then have one layout, which is reckoned once. */
const rounded = (size) => Math.ceil(size / 16) * 16;
const layouts = new Map();

/* Return where the boxes, nodes and edges of a picture are, each by its place in the lists. */
function laidOut(part, { down, words }) {
  const boxes = part.accounts.filter((account) => part.nodes.some((node) => node.account === account.name));
  const nodes = part.nodes.map((node) => {
    const box = boxes.findIndex((account) => account.name === node.account);
    const least = box < 0 ? 96 : 8 * measured(boxTitle(boxes[box])) - 24; // no box is narrower than its title
    return { box, width: rounded(Math.max(least, 8 * measured(shortened(node.name, down)) + 30)), height: 46 };
  });
  const at = new Map(part.nodes.map((node, i) => [node.id, i]));
  const edges = part.edges.map((edge) => {
    const told = lines(edge, words, down);
    const width = rounded(Math.max(...told.map(measured)) * 6.6 + 14);
    return { ends: [at.get(edge.source), at.get(edge.target)], width, height: 15 * told.length + 4 };
  });
  const key = JSON.stringify([down, boxes.length, nodes, edges]);
  if (!layouts.has(key)) layouts.set(key, reckoned(down, boxes.length, nodes, edges));
  return { names: boxes, ...layouts.get(key) };
}

function reckoned(down, boxes, nodes, edges) {
  const g = new dagre.graphlib.Graph({ compound: true, multigraph: true });
  g.setGraph({
    rankdir: down ? "TB" : "LR",
    ranker: "tight-tree",
    nodesep: down ? 14 : 22,
    edgesep: 14,
    ranksep: down ? 30 : 34,
    marginx: 10,
    marginy: 10,
  });
  for (let i = 0; i < boxes; i += 1) g.setNode(`box ${i}`, {});
  nodes.forEach(({ box, width, height }, i) => {
    g.setNode(`${i}`, { width, height });
    if (box >= 0) g.setParent(`${i}`, `box ${box}`);
  });
  edges.forEach(({ ends: [v, w], width, height }, i) => {
    g.setEdge(`${v}`, `${w}`, { width, height, labelpos: "c" }, `${i}`);
  });
  dagre.layout(g);
  const placed = nodes.map((_, i) => g.node(`${i}`));
  return {
    ...g.graph(),
    boxes: Array.from({ length: boxes }, (_, i) => g.node(`box ${i}`)),
    nodes: placed,
    edges: edges.map(({ ends: [v, w] }, i) => {
      const edge = g.edge({ v: `${v}`, w: `${w}`, name: `${i}` });
      return { ...edge, points: route(edge.points, placed[v], placed[w], down) };
    }),
  };
}

/* dagre's points, from the middle of one side to that of the other where the edge leads onward. */
function route(points, from, to, down) {
  const [side, size] = down ? ["y", "height"] : ["x", "width"];
  const begin = { x: from.x, y: from.y, [side]: from[side] + from[size] / 2 };
  const end = { x: to.x, y: to.y, [side]: to[side] - to[size] / 2 };
  return begin[side] < end[side] ? [begin, ...points.slice(1, -1), end] : points;
}

/* A curve through each of dagre's points, so also through the middle of the edge's label. */
function curve(points, down) {
  const at = (x, y) => `${x.toFixed(1)},${y.toFixed(1)}`;
  return points.reduce((path, { x, y }, i) => {
    if (!i) return `M${at(x, y)}`;
    const before = points[i - 1];
    const [mx, my] = [(before.x + x) / 2, (before.y + y) / 2];
    const bend = down ? `${at(before.x, my)} ${at(x, my)}` : `${at(mx, before.y)} ${at(mx, y)}`;
    return `${path}C${bend} ${at(x, y)}`;
  }, "");
}

function shape(kind, { x, y, width: w, height: h }) {
  const [l, t, r, b] = [x - w / 2, y - h / 2, x + w / 2, y + h / 2].map((n) => +n.toFixed(1));
  const colours = `class="shape" fill="#f6f8fa" stroke="#6e7781"`;
  if (kind === "bucket") {
    const body = `M${l},${t + 5}C${l},${t - 2} ${r},${t - 2} ${r},${t + 5}V${b - 5}C${r},${b + 2} ${l},${b + 2} ${l},${b - 5}Z`;
    return `<path ${colours} d="${body}"/><path class="shape" fill="none" stroke="#6e7781" d="M${l},${t + 5}C${l},${t + 12} ${r},${t + 12} ${r},${t + 5}"/>`;
  }
  if (kind === "key")
    return `<path ${colours} d="M${l + 10},${t}H${r - 10}L${r},${y}L${r - 10},${b}H${l + 10}L${l},${y}Z"/>`;
  const round = kind === "role" || kind === "user" ? h / 2 : 3;
  return `<rect ${colours} x="${l}" y="${t}" width="${w.toFixed(1)}" height="${h}" rx="${round}"/>`;
}

function text(x, y, words, kind, more = "") {
  return `<text class="${kind}" x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}fill="#1f2328">${escaped(words)}</text>`;
}

function drawnBox(account, at) {
  const [x, y] = [at.x - at.width / 2 - 6, at.y - at.height / 2 - 5];
  return (
    `<g class="account"><rect fill="#f6f8fa" stroke="#8c959f" x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${(at.width + 12).toFixed(1)}" height="${(at.height + 10).toFixed(1)}" rx="6"/>` +
    text(x + 8, y + 14, boxTitle(account), "box") +
    "</g>"
  );
}

function drawnNode(node, at, { down, words }) {
  const kind = words(node.kind);
  return (
    `<g class="node ${node.kind}"><title>${escaped(`${kind} ${node.name}`)}</title>${shape(node.kind, at)}` +
    text(at.x, at.y - (node.kind === "bucket" ? 1 : 4), kind, "kind", 'text-anchor="middle" ') +
    text(at.x, at.y + 13, shortened(node.name, down), "name", 'text-anchor="middle" ') +
    "</g>"
  );
}

function drawnEdge(edge, at, { down, words, said }) {
  const kind = `edge ${edge.state}${edge.missing ? " half" : ""}`;
  const red = edge.missing || edge.state === "disappears";
  const colour = red ? "#cf222e" : edge.state === "appears" ? "#1a7f37" : "#57606a";
  const dash = red ? ' stroke-dasharray="6 4"' : "";
  const d = curve(at.points, down);
  const told = lines(edge, words, down);
  const top = at.y - 7.5 * (told.length - 1) + 4;
  const heads = `marker-end="url(#${red ? "red" : edge.state === "appears" ? "green" : "plain"})"`;
  return (
    `<g class="${kind}" data-edge="${edge.id}" tabindex="-1" role="button" aria-label="${escaped(said(edge))}">` +
    `<title>${escaped(said(edge))}</title><path class="hit" fill="none" stroke="none" d="${d}"/>` +
    `<path class="line" fill="none" stroke="${colour}" stroke-width="1.8"${dash} ${heads} d="${d}"/>` +
    `<rect class="back" fill="#ffffff" x="${(at.x - at.width / 2).toFixed(1)}" y="${(at.y - at.height / 2).toFixed(1)}" width="${at.width.toFixed(1)}" height="${at.height}" rx="3"/>` +
    told.map((line, i) => text(at.x, top + 15 * i, line, "label", 'text-anchor="middle" ')).join("") +
    "</g>"
  );
}

function heads() {
  const head = (id, colour) =>
    `<marker id="${id}" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="11" markerHeight="11" orient="auto"><path class="head ${id}" fill="${colour}" d="M0,0L8,4L0,8Z"/></marker>`;
  return `<defs>${head("plain", "#57606a")}${head("green", "#1a7f37")}${head("red", "#cf222e")}</defs>`;
}

/* In English; the page has words of its own. */
function english(what) {
  return typeof what === "string" ? what : `${what.what} ${what.known ? "missing" : "not seen here"}`;
}

function allWords(edge, words) {
  const missing = edge.missing ? [`✗ ${words(edge.missing)}`] : [];
  return [...edge.labels.map((label) => SIGNS[edge.state] + label), ...missing];
}

/* Return what says an edge in one sentence. */
function sentences(graph, words) {
  const by = new Map(graph.nodes.map((node) => [node.id, `${words(node.kind)} ${node.name}`]));
  return (edge) =>
    `${by.get(edge.source)} → ${by.get(edge.target)}: ${allWords(edge, words).join("; ")} (${words(edge.state)})`;
}

/* Return the content of one picture, with its size; `words` gives a kind or a missing half its words. */
function drawn(part, options) {
  const { names, boxes, nodes, edges, width, height } = laidOut(part, options);
  const content = [
    ...boxes.map((at, i) => drawnBox(names[i], at)),
    ...part.edges.map((edge, i) => drawnEdge(edge, edges[i], options)),
    ...part.nodes.map((node, i) => drawnNode(node, nodes[i], options)),
  ];
  return { width: Math.ceil(width), height: Math.ceil(height), content: content.join("") };
}

function links(part) {
  return [...new Set(part.edges.flatMap((edge) => edge.grants.map((grant) => grant.link)))].sort().join(", ");
}

/* Return all pictures below each other as one SVG file. */
function file(graph, style) {
  const options = { words: english, said: sentences(graph, english) };
  const all = parts(graph);
  const above = all.length > 1 ? 24 : 0;
  let [right, y] = [200, 0];
  const groups = all.map((part) => {
    const { width, height, content } = drawn(part, options);
    const caption = above ? text(10, y + 18, `link: ${links(part)}`, "caption") : "";
    const group = `${caption}<g transform="translate(0,${y + above})">${content}</g>`;
    right = Math.max(right, width);
    y += height + above;
    return group;
  });
  const size = `width="${right}" height="${Math.max(y, 40)}"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="map" role="img" ${size} viewBox="0 0 ${right} ${Math.max(y, 40)}" font-family="system-ui, sans-serif" font-size="12">` +
    `<style>${style}</style><rect class="ground" fill="#ffffff" width="100%" height="100%"/>${heads()}${groups.join("")}</svg>\n`
  );
}
