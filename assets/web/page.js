// Adds to a page that is complete without it: values under the pointer, highlighting, a choice of drawings, light or dark.
// A drawing's marks stand in the order of the rows of its table, so every number that is shown comes from there.
"use strict";
(() => {
  const make = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const tip = make("div", { id: "tip", hidden: true });
  tip.setAttribute("role", "status");
  document.body.append(tip);

  // The marks of a drawing with their places in its units; cells and boxes with what they cover.
  const marksOf = (svg) => [...svg.querySelectorAll(".marks")].flatMap((marks) => [...marks.children].map((mark) => {
    const [, x, y] = mark.getAttribute("d").match(/^M(-?[\d.]+) (-?[\d.]+)/).map(Number);
    const box = marks.matches(".cells, .boxes") ? mark.getBBox() : null;
    return { mark, x, y, box };
  }));

  const words = (view, row) => {
    const columns = [...view.querySelectorAll("thead th")].map((cell) => cell.textContent);
    const cells = [...view.querySelectorAll("tbody tr")[row].cells].map((cell) => cell.textContent);
    return cells.map((cell, i) => (i === 0 && !view.querySelector(".cells") ? cell : `${columns[i]}: ${cell}`)).join("\n");
  };

  const highlight = (svg, name) => {
    for (const part of svg.querySelectorAll(".series, .band, .limit, .entry")) {
      part.classList.toggle("dim", name !== undefined && part.dataset.name !== name);
    }
  };

  const nearest = (marks, x, y) => {
    let found, least = 18;
    marks.forEach(({ x: markX, y: markY, box }, row) => {
      const inside = box && x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
      const distance = inside ? 0 : box ? Infinity : Math.hypot(markX - x, markY - y);
      if (distance < least) [found, least] = [row, distance];
    });
    return found;
  };

  const hide = (svg) => {
    tip.hidden = true;
    svg.querySelector(".here")?.classList.remove("here");
    highlight(svg);
  };

  for (const view of document.querySelectorAll(".view")) {
    const svg = view.querySelector("svg");
    let marks;
    svg.addEventListener("pointermove", (event) => {
      marks ??= marksOf(svg);
      const entry = event.target.closest?.(".entry");
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const row = entry ? undefined : nearest(marks, place.x, place.y);
      hide(svg);
      if (entry) highlight(svg, entry.dataset.name);
      if (row === undefined) return;
      const mark = marks[row].mark;
      mark.classList.add("here");
      highlight(svg, mark.closest("[data-name]")?.dataset.name);
      tip.textContent = words(view, row);
      tip.hidden = false;
      const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
      tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, room)) + window.scrollX}px`;
      tip.style.top = `${event.clientY + 16 + window.scrollY}px`;
    });
    svg.addEventListener("pointerleave", () => hide(svg));
  }

  // One drawing of a figure, enlarged, or all of them.
  for (const figure of document.querySelectorAll("figure")) {
    const views = [...figure.querySelectorAll(".view")];
    if (views.length < 2) continue;
    const name = (view) => [view.dataset.of, ...[...view.querySelectorAll(".title")].map((line) => line.textContent)].filter(Boolean).join(" ");
    const select = make("select");
    select.append(make("option", { textContent: `all ${views.length} drawings` }), ...views.map((view) => make("option", { textContent: name(view) })));
    select.addEventListener("change", () => {
      const one = views[select.selectedIndex - 1];
      figure.classList.toggle("single", one !== undefined);
      const more = figure.querySelector("details.more");
      if (more) more.open = one !== undefined && more.contains(one);
      views.forEach((view) => { view.hidden = one !== undefined && view !== one; });
    });
    figure.querySelector("h3").after(make("label", { className: "choice" }, "show ", select));
  }

  const dark = () => getComputedStyle(document.documentElement).getPropertyValue("--scheme").trim() === "dark";
  const theme = make("button", { type: "button", className: "theme", textContent: "light or dark" });
  theme.addEventListener("click", () => { document.documentElement.dataset.theme = dark() ? "light" : "dark"; });
  document.querySelector("nav").append(theme);
})();
