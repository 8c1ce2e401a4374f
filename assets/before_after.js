/* Two pictures of equal size, one over the other, with a divider between them.

   In: props.value = {before, after, width, height, faces: [{box, text, left}]} with addresses of
   pictures, `after` null where there is only one, and boxes as shares of the picture; null hides. */
const root = element.querySelector(".ba");
const find = (selector) => root.querySelector(selector);
const view = find(".ba-view");
const range = find(".ba-range");
const START = 10;
let zoom = 1;
let at = [0, 0];
let held = null;
const fingers = new Map();

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function draw() {
  const share = Number(range.value);
  at = at.map((value, i) => clamp(value, [view.clientWidth, view.clientHeight][i] * (1 - zoom), 0));
  const move = `translate(${at[0]}px, ${at[1]}px) scale(${zoom})`;
  root.querySelectorAll(".ba-layer > *").forEach((one) => {
    if (one.tagName === "IMG") one.style.transform = move;
  });
  find(".ba-faces").style.transform = move;
  find(".ba-left").style.clipPath = `inset(0 ${100 - share}% 0 0)`;
  find(".ba-line").style.left = `${share}%`;
  find(".ba-tag-left").classList.toggle("ba-off", share < 16);
  find(".ba-tag-right").classList.toggle("ba-off", share > 84);
  view.classList.toggle("ba-zoomed", zoom > 1);
  root.style.setProperty("--ba-zoom", zoom);
}

function zoomTo(next, x = view.clientWidth / 2, y = view.clientHeight / 2) {
  next = clamp(next, 1, 8);
  at = [x - ((x - at[0]) * next) / zoom, y - ((y - at[1]) * next) / zoom];
  zoom = next;
  draw();
}

function load(value) {
  root.hidden = !value;
  if (!value) return;
  const fresh = find(".ba-before").getAttribute("src") !== value.before;
  find(".ba-before").src = value.before;
  find(".ba-after").src = value.after || value.before;
  view.style.aspectRatio = `${value.width} / ${value.height}`;
  root.style.setProperty("--ba-ratio", value.width / value.height);
  root.classList.toggle("ba-single", !value.after);
  const faces = find(".ba-faces");
  faces.replaceChildren(
    ...(value.faces || []).map((face) => {
      const box = document.createElement("div");
      const [x0, y0, x1, y1] = face.box.map((side) => `${100 * side}%`);
      Object.assign(box.style, { left: x0, top: y0 });
      box.style.width = `calc(${x1} - ${x0})`;
      box.style.height = `calc(${y1} - ${y0})`;
      box.className = face.left ? "ba-face ba-alone" : "ba-face";
      const words = document.createElement("span");
      words.textContent = value.faces.length > 1 ? face.text.split(" ")[0] : face.text;
      box.append(words);
      return box;
    })
  );
  const lines = (value.faces || []).map((face) => {
    const line = document.createElement("li");
    line.textContent = face.text;
    if (face.left) line.className = "ba-alone";
    return line;
  });
  find(".ba-legend").replaceChildren(...(lines.length > 1 ? lines : []));
  find("[data-act=boxes]").hidden = !lines.length;
  if (fresh) {
    [zoom, at] = [1, [0, 0]];
    range.value = START;
    boxes(false);
  }
  draw();
}

function boxes(shown) {
  find(".ba-faces").hidden = !shown;
  find(".ba-legend").hidden = !shown || !find(".ba-legend").children.length;
  find("[data-act=boxes]").setAttribute("aria-pressed", String(shown));
}

range.addEventListener("input", draw);
const acts = {
  in: () => zoomTo(zoom * 1.6),
  out: () => zoomTo(zoom / 1.6),
  boxes: () => boxes(find(".ba-faces").hidden),
  full: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()),
};
root.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button) acts[button.dataset.act]();
});
root.addEventListener("keydown", (event) => {
  const act = { "+": "in", "=": "in", "-": "out" }[event.key];
  if (act) acts[act]();
  else if (event.key === "0") zoomTo(1);
  else return;
  event.preventDefault();
});

const spot = (event) => {
  const box = view.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
const toDivider = (x) => {
  range.value = (100 * x) / view.clientWidth;
  draw();
};
view.addEventListener("pointerdown", (event) => {
  if (event.target.closest(".ba-bar, .ba-range") || event.button > 0) return;
  fingers.set(event.pointerId, spot(event));
  held = spot(event);
  const near = Math.abs(held[0] - (range.value / 100) * view.clientWidth) < 24;
  held.moves = zoom > 1 && !near ? "picture" : "divider";
  if (event.pointerType === "mouse" && held.moves === "divider") toDivider(held[0]);
  view.setPointerCapture(event.pointerId);
});
view.addEventListener("pointermove", (event) => {
  if (!fingers.has(event.pointerId)) return;
  const here = spot(event);
  const before = fingers.get(event.pointerId);
  if (fingers.size === 2) {
    const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, p]) => p);
    const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]);
    zoomTo((zoom * apart(here)) / Math.max(1, apart(before)), (here[0] + other[0]) / 2, (here[1] + other[1]) / 2);
  } else if (held.moves === "picture") {
    at = [at[0] + here[0] - before[0], at[1] + here[1] - before[1]];
    draw();
  } else toDivider(here[0]);
  fingers.set(event.pointerId, here);
});
for (const end of ["pointerup", "pointercancel"])
  view.addEventListener(end, (event) => fingers.delete(event.pointerId));
view.addEventListener("dblclick", (event) => {
  if (!event.target.closest(".ba-bar, .ba-range")) zoomTo(zoom > 1 ? 1 : 2.5, ...spot(event));
});
view.addEventListener(
  "wheel",
  (event) => {
    if (!event.ctrlKey && !document.fullscreenElement) return; /* the page scrolls */
    event.preventDefault();
    zoomTo(zoom * Math.exp(-event.deltaY / 200), ...spot(event));
  },
  { passive: false }
);
new ResizeObserver(draw).observe(view);
watch("value", () => load(props.value));
load(props.value);
