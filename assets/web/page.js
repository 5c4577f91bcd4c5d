// Draws the figures of a report from the data in the page, and makes their tables. All numbers come from the data:
// bands and quantiles are computed before. D3 and Observable Plot stand in the page too.
"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("data").textContent);
  // Every look has a colour, a marker and a dash pattern of its own, so that none needs colour to be told apart.
  const inverted = {
    draw(path, size) {
      const y = Math.sqrt(size / (3 * Math.sqrt(3))), x = Math.sqrt(3) * y;
      path.moveTo(0, 2 * y);
      path.lineTo(x, -y);
      path.lineTo(-x, -y);
      path.closePath();
    },
  };
  const symbols = ["circle", "triangle", "square", "diamond", inverted, "times", "plus", "star", "cross"];
  const dashes = ["", "7 3", "2 2", "9 3 2 3", "5 2", "1 3", "3 5", "10 4", "2 4"];
  const colour = (look) => `var(--c${look % 9})`;
  const round = (look) => Math.floor(look / 9);
  const symbol = (look) => symbols[(look + 2 * round(look)) % symbols.length];
  const dash = (look) => dashes[(look + round(look)) % dashes.length];

  const number = (value) => {
    if (value === 0) return "0";
    const size = Math.abs(value);
    const text = size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
    return text.replace("-", "−");
  };

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  // One object a point.
  const rows = (group) => group.x.map((x, i) => ({
    x, y: group.y[i], low: group.low?.[i], high: group.high?.[i], text: group.texts?.[0]?.[i], group,
  }));

  const words = (view, row) => {
    const [, x, y, ...more] = view.columns;
    const interval = row.low === undefined ? "" : `\n${more[0]} … ${more[1]}: ${number(row.low)} … ${number(row.high)}`;
    const where = view.x.labels?.length ? (row.text ?? `${x} ${number(row.x)}`) : `${x} = ${number(row.x)}`;
    const text = row.text && !view.x.labels?.length ? `\n${row.text}` : "";
    return `${row.group.name}\n${where}\n${y} = ${number(row.y)}${interval}${text}`;
  };

  const axis = (settings, room, upright) => {
    const options = { type: settings.scale, domain: settings.domain, label: null, grid: upright };
    if (settings.constant) options.constant = settings.constant;
    if (settings.ticks) {
      const [low, high] = settings.domain;
      const slack = 1e-6 * Math.abs(high - low);
      let shown = settings.ticks.map((tick, i) => [tick, settings.labels[i]]).filter(([tick]) => tick >= low - slack && tick <= high + slack);
      const stride = Math.max(1, Math.ceil(shown.length / room));
      shown = shown.filter((_, i) => (shown.length - 1 - i) % stride === 0);
      const names = new Map(shown);
      options.ticks = shown.map(([tick]) => tick);
      options.tickFormat = (tick) => names.get(tick) ?? "";
    } else {
      options.ticks = room;
      options.tickFormat = number;
    }
    return options;
  };

  const frame = (view, width, height, left) => ({
    width, height,
    marginLeft: left, marginRight: 14, marginTop: 26, marginBottom: 44,
    style: { fontFamily: "inherit", fontSize: "12px", background: "none", overflow: "visible" },
  });

  const titles = (view) => [
    Plot.text([view.y.label], { frameAnchor: "top-left", dx: -46, dy: -20, textAnchor: "start", fontSize: 12.5 }),
    Plot.text([view.x.label], { frameAnchor: "bottom", dy: 38, fontSize: 12.5 }),
  ];

  const drawSeries = (view, width, run, hidden) => {
    const groups = (view.groups ?? []).filter((group) => !hidden.has(group.name));
    const marks = [Plot.frame({ stroke: "var(--line)" })];
    for (const line of view.lines ?? []) {
      const style = { stroke: colour(line.look), strokeDasharray: dash(line.look), strokeWidth: 1.5 };
      if (!line.y?.length) marks.push(Plot.ruleX(line.x, style));
      else if (!line.x?.length) marks.push(Plot.ruleY(line.y, style));
      else marks.push(Plot.line(line.x.map((x, i) => ({ x, y: line.y[i] })), { x: "x", y: "y", clip: true, ...style }));
    }
    const single = view.runs?.find((one) => one.name === run);
    if (single) {
      single.lines.forEach((line, i) => marks.push(Plot.line(line.map((y, j) => ({ x: single.x[j], y })), {
        x: "x", y: "y", clip: true, stroke: colour(single.looks[i]), strokeDasharray: dash(single.looks[i]), strokeWidth: 1,
      })));
    }
    const faded = single ? 0.35 : 1;
    for (const group of groups) {
      const data = rows(group), paint = colour(group.look);
      if (group.parts.includes("b")) marks.push(Plot.areaY(data, { x: "x", y1: "low", y2: "high", fill: paint, fillOpacity: 0.16 * faded, clip: true }));
    }
    for (const group of groups) {
      const data = rows(group), paint = colour(group.look);
      if (group.parts.includes("w")) {
        marks.push(Plot.ruleX(data, { x: "x", y1: "low", y2: "high", stroke: paint, strokeWidth: 1.5 }));
      }
      if (group.parts.includes("l")) marks.push(Plot.line(data, { x: "x", y: "y", stroke: paint, strokeWidth: 2, strokeOpacity: faded, strokeDasharray: dash(group.look), clip: true }));
      if (group.parts.includes("o")) marks.push(Plot.dot(data, { x: "x", y: "y", symbol: symbol(group.look), stroke: paint, strokeWidth: 1.8, r: 5.5 }));
      if (group.parts.includes("p")) {
        const many = data.length > 60;
        marks.push(Plot.dot(data, { x: "x", y: "y", symbol: symbol(group.look), fill: paint, fillOpacity: (many ? 0.55 : 0.9) * faded, r: many ? 3 : 3.4 }));
      }
    }
    const all = groups.flatMap(rows);
    marks.push(Plot.tip(all, Plot.pointer({ x: "x", y: "y", title: (row) => words(view, row), fontSize: 12, lineHeight: 1.25, pointerSize: 6 })));
    const room = Math.max(3, Math.floor(width / 95));
    return Plot.plot({
      ...frame(view, width, Math.round(Math.min(420, Math.max(270, width * 0.5))), 56),
      x: axis(view.x, room, false), y: axis(view.y, 7, true), marks: [...marks, ...titles(view)],
    });
  };

  const drawHeat = (view, width) => {
    const heat = view.heat, columns = heat.xs.length, lines = heat.ys.length;
    const cell = (width - 76) / columns, letters = Math.min(13, cell * 0.3);
    const middle = (names, room) => {
      const stride = Math.max(1, Math.ceil(names.length / room));
      const shown = names.map((name, i) => [i + 0.5, name]).filter((_, i) => i % stride === 0);
      const found = new Map(shown);
      return { ticks: shown.map(([place]) => place), tickFormat: (place) => found.get(place) ?? "" };
    };
    const flips = heat.flips.map(([x, row, low, high, text]) => ({ x, y: row + 0.2, low, high, text: `${heat.ys[row]}: ${text}` }));
    const marks = [
      Plot.rect(heat.cells, { x1: (c) => c.x, x2: (c) => c.x + 1, y1: (c) => c.y, y2: (c) => c.y + 1, fill: "fill", stroke: "#fff", strokeOpacity: 0.6, strokeWidth: 0.5 }),
    ];
    if (letters >= 7) marks.push(Plot.text(heat.cells, { x: (c) => c.x + 0.5, y: (c) => c.y + (flips.length ? 0.62 : 0.5), text: "text", fill: "ink", fontSize: letters }));
    for (const [stroke, strokeWidth] of [["#fff", 6], ["#000", 3]]) {
      marks.push(Plot.link(heat.edges, { x1: "0", y1: "1", x2: "2", y2: "3", stroke, strokeWidth, strokeLinecap: "square" }));
    }
    for (const [stroke, strokeWidth] of [["#fff", 5], ["#000", 2]]) {
      marks.push(Plot.ruleY(flips, { y: "y", x1: "low", x2: "high", stroke, strokeWidth }));
    }
    marks.push(Plot.dot(flips, { x: "x", y: "y", r: 4.5, fill: "#fff", stroke: "#000", strokeWidth: 2 }));
    const tips = [
      ...heat.cells.map((c) => ({ x: c.x + 0.5, y: c.y + 0.5, text: `${view.columns[0]} = ${heat.xs[c.x]}\n${view.columns[1]} = ${heat.ys[c.y]}\nholds in ${number(100 * c.share)} % (${c.holds} of ${c.runs} runs)\n95 % interval ${number(100 * c.low)} … ${number(100 * c.high)} %\n${c.state}` })),
      ...flips,
    ];
    marks.push(Plot.tip(tips, Plot.pointer({ x: "x", y: "y", title: "text", fontSize: 12, lineHeight: 1.25 })));
    return Plot.plot({
      ...frame(view, width, Math.round(Math.min(560, Math.max(220, lines * Math.max(30, cell * 0.7) + 70))), 62),
      x: { domain: view.x.domain, label: null, ...middle(heat.xs, Math.floor(width / 44)) },
      y: { domain: view.y.domain, label: null, ...middle(heat.ys, 16) },
      marks: [...marks, ...titles(view)],
    });
  };

  const swatch = (look, parts, width = 34) => {
    const svg = d3.create("svg").attr("width", width).attr("height", 14).attr("aria-hidden", "true");
    if (/[lb]/.test(parts)) svg.append("line").attr("x1", 1).attr("x2", width - 1).attr("y1", 7).attr("y2", 7).attr("stroke", colour(look)).attr("stroke-width", 2).attr("stroke-dasharray", dash(look));
    if (/w/.test(parts)) svg.append("line").attr("x1", width / 2).attr("x2", width / 2).attr("y1", 0).attr("y2", 14).attr("stroke", colour(look)).attr("stroke-width", 1.5);
    if (/[po]/.test(parts)) {
      const kinds = { circle: d3.symbolCircle, triangle: d3.symbolTriangle, square: d3.symbolSquare, diamond: d3.symbolDiamond, times: d3.symbolTimes, plus: d3.symbolPlus, star: d3.symbolStar, cross: d3.symbolCross };
      const open = /o/.test(parts) || ["times", "plus"].includes(symbol(look));
      svg.append("path").attr("transform", `translate(${width / 2},7)`).attr("d", d3.symbol(kinds[symbol(look)] ?? symbol(look), 55)()).attr("fill", open ? "none" : colour(look)).attr("stroke", open ? colour(look) : "none").attr("stroke-width", 1.6);
    }
    return svg.node();
  };

  const legend = (view, hidden, toggle) => {
    const entries = [];
    for (const group of view.groups ?? []) {
      const name = element("span", { textContent: group.name });
      const entry = element("button", { className: "entry", type: "button", title: "show or hide", onclick: () => toggle(group.name) }, swatch(group.look, group.parts), name);
      entry.setAttribute("aria-pressed", String(!hidden.has(group.name)));
      if (group.note) entry.append(element("span", { className: "note", textContent: group.note }));
      entries.push(entry);
    }
    for (const line of view.lines ?? []) if (line.name) entries.push(element("span", { className: "entry" }, swatch(line.look, "l"), element("span", { textContent: line.name })));
    if (view.heat) {
      const ramp = element("span", { className: "ramp" });
      entries.push(element("span", { className: "entry" }, element("span", { textContent: "0 %" }), ramp, element("span", { textContent: `100 % of runs; level ${number(100 * view.heat.level)} %` })));
    }
    return entries;
  };

  const table = (view) => {
    const body = element("tbody");
    const line = (cells) => {
      const row = element("tr");
      for (const cell of cells) row.append(element("td", { textContent: typeof cell === "number" ? String(cell).replace("-", "−") : cell, className: typeof cell === "number" ? "number" : "" }));
      body.append(row);
    };
    if (view.heat) for (const c of view.heat.cells) line([view.heat.xs[c.x], view.heat.ys[c.y], c.share, `${c.low} … ${c.high}`, `${c.holds} of ${c.runs}`, c.state]);
    for (const group of view.groups ?? []) for (const row of rows(group)) {
      const cells = [group.name, row.x, row.y];
      if (row.low !== undefined) cells.push(row.low, row.high);
      if (row.text !== undefined) cells.push(row.text);
      line(cells);
    }
    const head = element("tr");
    for (const name of view.columns) head.append(element("th", { textContent: name }));
    return element("table", {}, element("thead", {}, head), body);
  };

  const choice = (name, options, change) => {
    const select = element("select", { onchange: () => change(select.selectedIndex) });
    for (const option of options) select.append(element("option", { textContent: option }));
    return element("label", {}, `${name} `, select);
  };

  for (const chart of charts) {
    const figure = document.getElementById(chart.id);
    const part = (name) => figure.querySelector(`.${name}`);
    const chosen = chart.selects.map(() => 0);
    const hidden = new Set();
    let run = "", drawn = 0;
    const view = () => chart.views[chosen.reduce((place, choice, i) => place * chart.selects[i].options.length + choice, 0)];
    const details = part("data"), plot = part("plot");
    const fill = () => details.open && details.querySelector(".scroll").replaceChildren(table(view()));
    const draw = () => {
      const width = Math.max(280, plot.clientWidth);
      drawn = plot.clientWidth;
      plot.style.minHeight = 0;
      plot.replaceChildren(view().heat ? drawHeat(view(), width) : drawSeries(view(), width, run, hidden));
    };
    const toggle = (name) => {
      if (!hidden.delete(name)) hidden.add(name);
      update();
    };
    const update = () => {
      part("legend").replaceChildren(...legend(view(), hidden, toggle));
      draw();
      fill();
    };
    const controls = part("controls");
    chart.selects.forEach((select, i) => {
      if (select.options.length > 1) controls.append(choice(select.name, select.options, (place) => { chosen[i] = place; update(); }));
    });
    if (chart.views.some((one) => one.runs?.length)) {
      const names = [...new Set(chart.views.flatMap((one) => (one.runs ?? []).map((single) => single.name)))];
      controls.append(choice("single run", ["none", ...names], (place) => { run = place ? names[place - 1] : ""; update(); }));
    }
    details.addEventListener("toggle", fill);
    update();
    new ResizeObserver(() => { if (Math.abs(plot.clientWidth - drawn) > 1) draw(); }).observe(plot);
  }
})();
