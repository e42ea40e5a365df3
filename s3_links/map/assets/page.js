/* The page: filters, the chosen edge, the table, two languages and two schemes. */
"use strict";

(() => {
  const WORDS = {
    en: {
      title: "Who reaches what", picture: "Picture", halves: "Both halves", table: "Access",
      unread: "What cannot be read", account: "account", role: "role", user: "user",
      bucket: "bucket", key: "key", service: "service", public: "public", other: "",
      action: "action", state: "state", all: "show all", any: "any", scheme: "light or dark",
      who: "who", may: "may", on: "on", link: "link", only: "only if", always: "always",
      stays: "stays", appears: "appears", disappears: "disappears", half: "a half is missing",
      declared: "there", missing: "missing", unseen: "not seen here",
      in: "in account", block: "block", nothing: "No access fits the filter.",
      choose: "Choose an edge or a row.", shown: "of", edges: "edges",
      hint: "Choose an edge to read both halves. In the picture, the arrow keys go from edge to edge.",
      "identity policy": "identity policy", "bucket policy": "bucket policy",
      "key policy": "key policy", "trust policy": "trust policy",
      absent: "Without this half, nothing is granted.",
    },
    ja: {
      title: "誰が何に届くか", picture: "図", halves: "両側の許可", table: "アクセス",
      unread: "読み取れないもの", account: "アカウント", role: "ロール", user: "ユーザー",
      bucket: "バケット", key: "キー", service: "サービス", public: "公開", other: "",
      action: "アクション", state: "状態", all: "すべて表示", any: "すべて", scheme: "明暗の切り替え",
      who: "誰が", may: "できること", on: "対象", link: "リンク", only: "条件", always: "なし",
      stays: "変わらない", appears: "増える", disappears: "なくなる", half: "片側がない",
      declared: "あり", missing: "ありません", unseen: "ここからは見えません",
      in: "アカウント", block: "ブロック", nothing: "条件に合うアクセスはありません。",
      choose: "矢印か行を選んでください。", shown: "/", edges: "本の矢印",
      hint: "矢印を選ぶと両側の許可が読めます。図の中では矢印キーで次の矢印に移れます。",
      "identity policy": "アイデンティティポリシー", "bucket policy": "バケットポリシー",
      "key policy": "キーポリシー", "trust policy": "信頼ポリシー",
      absent: "この片側がなければ、何も許可されません。",
    },
  };
  const FILTERS = ["link", "account", "role", "bucket", "action", "state"];
  const graph = JSON.parse(document.getElementById("graph").textContent);
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const edges = new Map(graph.edges.map((edge) => [edge.id, edge]));
  const $ = (id) => document.getElementById(id);
  const form = $("filters");
  const narrow = matchMedia("(max-width: 60rem)");
  const figures = new Map();
  let turns = 0;
  const state = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  state.lang ||= navigator.language.startsWith("ja") ? "ja" : "en";

  const word = (key) => WORDS[state.lang][key] ?? key;
  const words = (what) =>
    typeof what === "string" ? word(what) : `${word(what.what)} ${word(what.known ? "missing" : "unseen")}`;

  function make(tag, given = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (name === "class") element.className = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  const title = (node) => [word(node.kind), node.name].filter(Boolean).join(" ");
  const stateOf = (edge) => (edge.missing ? "half" : edge.state);

  /* What may be filtered by, of one edge. */
  function values(edge, by) {
    const ends = [nodes.get(edge.source), nodes.get(edge.target)];
    if (by === "account") return ends.map((node) => node.account).filter(Boolean);
    if (by === "link") return edge.grants.map((grant) => grant.link);
    if (by === "action") return edge.grants.flatMap((grant) => grant.actions);
    if (by === "state") return [...new Set([edge.state, stateOf(edge)])];
    return ends.filter((node) => node.kind === by).map((node) => node.name);
  }

  const fits = (edge) => FILTERS.every((by) => !state[by] || values(edge, by).includes(state[by]));

  function fillFilters() {
    for (const by of FILTERS) {
      const select = form.elements[by];
      const found = new Set(graph.edges.flatMap((edge) => values(edge, by)));
      const option = (value, shown) => {
        const one = make("option", { value }, shown);
        one.selected = value === (state[by] || "");
        return one;
      };
      const sorted = [...found].sort();
      if (state[by] && !found.has(state[by])) delete state[by];
      select.replaceChildren(option("", word("any")), ...sorted.map((v) => option(v, by === "state" ? word(v) : v)));
    }
  }

  function figure(part, several) {
    const key = [state.lang, narrow.matches, several, ...part.edges.map((edge) => edge.id)].join();
    if (!figures.has(key)) figures.set(key, newFigure(part, several));
    return figures.get(key);
  }

  function newFigure(part, several) {
    const options = { down: narrow.matches, words, said: sentences(graph, words) };
    const { width, height, content } = drawn(part, options);
    const holder = make("figure");
    if (several) holder.append(make("figcaption", {}, `${word("link")}: ${links(part)}`));
    // All that comes from names is escaped where it is drawn.
    holder.insertAdjacentHTML(
      "beforeend",
      `<svg class="map" role="group" aria-label="${escaped(links(part))}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-size="12">${content}</svg>`,
    );
    // Never so small that it cannot be read: it is scrolled before.
    holder.lastChild.style.minWidth = `${Math.round(width * 0.8)}px`;
    holder.style.containIntrinsicSize = `${width}px ${height + 24}px`;
    return holder;
  }

  function drawPictures() {
    const shown = graph.edges.filter(fits);
    const ends = new Set(shown.flatMap((edge) => [edge.source, edge.target]));
    const fitting = graph.nodes.filter((node) => ends.has(node.id));
    const all = parts({ ...graph, edges: shown, nodes: fitting });
    const place = $("pictures");
    place.replaceChildren(...(all.length ? [] : [make("p", {}, word("nothing"))]));
    delete place.dataset.drawn;
    const several = all.length > 1;
    const turn = (turns += 1);
    // Some at a time: the first are there at once, however many there are.
    const some = () => {
      const until = performance.now() + 50;
      while (turn === turns && all.length && performance.now() < until) place.append(figure(all.shift(), several));
      if (turn !== turns) return;
      markChosen();
      if (all.length) setTimeout(some);
      else place.dataset.drawn = Math.round(performance.now());
    };
    some();
    $("told").textContent = `${shown.length} ${word("shown")} ${graph.edges.length} ${word("edges")}`;
    fillRows(shown);
  }

  /* The chosen edge, or else the first, is where the Tab key comes into the picture. */
  function markChosen() {
    for (const old of document.querySelectorAll(".chosen")) old.classList.remove("chosen");
    const id = CSS.escape(state.edge || "");
    for (const mark of document.querySelectorAll(`[data-edge="${id}"], [data-row="${id}"]`)) mark.classList.add("chosen");
    for (const one of document.querySelectorAll("g[data-edge]")) one.setAttribute("aria-pressed", one.dataset.edge === state.edge);
    const all = $("pictures");
    all.querySelector('g[tabindex="0"]')?.setAttribute("tabindex", "-1");
    (all.querySelector("g.chosen") || all.querySelector("g[data-edge]"))?.setAttribute("tabindex", "0");
  }

  function fillRows(shown) {
    const rows = shown.flatMap((edge) =>
      edge.grants.map((grant) => {
        const source = nodes.get(edge.source);
        const target = nodes.get(edge.target);
        const pick = make("button", { type: "button", "data-edge": edge.id }, title(source));
        const on = [title(target), ...grant.paths].join(" ");
        const row = make("tr", { class: `${edge.state}${edge.missing ? " half" : ""}`, "data-row": edge.id });
        const sign = SIGNS[edge.state] + word(edge.state);
        const told = edge.missing ? `${sign}; ✗ ${words(edge.missing)}` : sign;
        row.append(
          make("td", {}, pick),
          make("td", {}, grant.actions.join(", ")),
          make("td", {}, on),
          make("td", {}, told),
        );
        return row;
      }),
    );
    $("rows").replaceChildren(...rows);
  }

  function halfBox(kind, account, place, text) {
    const box = make("div", { class: "half-box" });
    box.append(make("h3", {}, `${word(kind)}, ${word("in")} ${account}`));
    if (place) box.append(make("p", {}, `${word("block")}: ${place}`));
    box.append(make("pre", { tabindex: "0" }, text));
    return box;
  }

  function showChosen() {
    markChosen();
    const edge = edges.get(state.edge);
    if (!edge || !fits(edge)) {
      $("chosen").replaceChildren(make("p", { class: "hint" }, word("choose")));
      return;
    }
    const list = make("dl");
    const tell = (name, value, kind = "") => list.append(make("dt", {}, word(name)), make("dd", { class: kind }, value));
    tell("who", title(nodes.get(edge.source)));
    for (const grant of edge.grants) {
      tell("may", grant.actions.join(", "));
      tell("on", [title(nodes.get(edge.target)), ...grant.paths].join(" "));
      tell("only", grant.conditions.join("; ") || word("always"));
    }
    tell("link", [...new Set(edge.grants.map((grant) => grant.link))].join(", "));
    const colour = { appears: "appears-words", disappears: "red-words" }[edge.state] || "";
    tell("state", SIGNS[edge.state] + word(edge.state), colour);
    const seen = new Map();
    for (const grant of edge.grants)
      for (const half of grant.halves) seen.set(JSON.stringify(half), half);
    const boxes = [...seen.values()].map((half) => halfBox(half.what, half.account, half.place, half.text));
    if (edge.missing) {
      const box = make("div", { class: "half-box absent" });
      const where = edge.missing.account ? `, ${word("in")} ${edge.missing.account}` : "";
      box.append(make("h3", { class: "red-words" }, `✗ ${words(edge.missing)}${where}`), make("p", {}, word("absent")));
      boxes.push(box);
    }
    $("chosen").replaceChildren(list, ...boxes);
  }

  function keep() {
    const kept = Object.entries(state).filter(([, value]) => value);
    history.replaceState(null, "", `#${new URLSearchParams(kept)}`);
  }

  function choose(id) {
    state.edge = id;
    keep();
    showChosen();
  }

  function tellWords() {
    document.documentElement.lang = state.lang;
    document.title = word("title");
    for (const element of document.querySelectorAll("[data-words]")) element.textContent = word(element.dataset.words);
    $("language").textContent = state.lang === "ja" ? "English" : "日本語";
    $("language").lang = state.lang === "ja" ? "en" : "ja";
    if (state.theme) document.documentElement.dataset.theme = state.theme;
    const unread = graph.unread.map((why) => make("li", {}, why));
    $("unread").hidden = !unread.length;
    $("unread").querySelector("ul").replaceChildren(...unread);
  }

  function draw() {
    tellWords();
    fillFilters();
    drawPictures();
    showChosen();
    keep();
  }

  form.addEventListener("change", () => {
    for (const by of FILTERS) state[by] = form.elements[by].value;
    draw();
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const by of FILTERS) delete state[by];
    draw();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  $("language").addEventListener("click", () => {
    state.lang = state.lang === "ja" ? "en" : "ja";
    draw();
  });
  $("theme").addEventListener("click", () => {
    const dark = state.theme ? state.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    state.theme = dark ? "light" : "dark";
    draw();
  });
  document.addEventListener("click", (event) => {
    const found = event.target.closest("[data-edge]");
    if (!found) return;
    choose(found.dataset.edge);
    // Where all is below each other, what was asked for comes into sight.
    if (narrow.matches) $("details").scrollIntoView();
    else if (found.tagName === "BUTTON")
      $("pictures").querySelector(`g[data-edge="${found.dataset.edge}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  $("pictures").addEventListener("keydown", (event) => {
    const at = event.target.closest("g[data-edge]");
    if (!at) return;
    const all = [...$("pictures").querySelectorAll("g[data-edge]")];
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const ends = { Home: all[0], End: all.at(-1) };
    const next = step ? all[all.indexOf(at) + step] : ends[event.key];
    if (event.key === "Enter" || event.key === " ") choose(at.dataset.edge);
    else if (next) {
      at.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    } else if (step === undefined) return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") choose("");
  });
  narrow.addEventListener("change", draw);
  $("heads").innerHTML = heads();
  draw();
})();
