/* Mask editor: shows each face with its mask, lets people repaint it, and hands the masks back.

   In:  props.value = {token, regions: [{title, width, height, on, image, mask}]}, data URLs.
   Out: props.value = {token, regions: [{on, mask}]}; mask is null while it is as it was found. */
const find = (selector) => element.querySelector(selector);
const canvas = find(".me-canvas");
const pen = canvas.getContext("2d", { willReadFrequently: true });
let token = null;
let regions = [];
let current = 0;
let tool = "paint";
let last = null;
let cursor = null;
let drawing = false;
let loads = 0;

const loadImage = (url) =>
  new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = failed;
    image.src = url;
  });

function scratch(width, height) {
  const made = document.createElement("canvas");
  made.width = width;
  made.height = height;
  return [made, made.getContext("2d", { willReadFrequently: true })];
}

async function load(value) {
  const turn = ++loads;
  const fresh = [];
  for (const given of (value && value.regions) || []) {
    const [image, mask] = await Promise.all([loadImage(given.image), loadImage(given.mask)]);
    const [, context] = scratch(given.width, given.height);
    context.drawImage(mask, 0, 0);
    const data = context.getImageData(0, 0, given.width, given.height).data;
    const bits = new Uint8Array(given.width * given.height);
    for (let i = 0; i < bits.length; i++) bits[i] = data[4 * i] > 127 ? 1 : 0;
    fresh.push({ ...given, picture: image, bits, found: bits.slice(), past: [], edited: false });
  }
  if (turn !== loads) return;
  token = value ? value.token : null;
  regions = fresh;
  current = 0;
  cursor = null;
  find(".me-empty").hidden = regions.length > 0;
  find(".me-work").hidden = regions.length === 0;
  showFaces();
  if (regions.length) {
    choose(0);
    send();
  }
}

function showFaces() {
  const bar = find(".me-faces");
  bar.replaceChildren();
  regions.forEach((region, index) => {
    const button = document.createElement("button");
    const picture = document.createElement("img");
    picture.src = region.image;
    picture.alt = "";
    const words = document.createElement("span");
    const name = document.createElement("span");
    const [who, ...rest] = region.title.split(":");
    name.className = "me-name";
    name.textContent = who;
    words.append(name, rest.length ? `:${rest.join(":")}` : "");
    button.type = "button";
    button.title = "Show this view to correct its mask";
    button.append(picture, words);
    button.addEventListener("click", () => choose(index));
    bar.append(button);
  });
}

function choose(index) {
  current = index;
  cursor = null;
  const region = regions[index];
  canvas.width = region.width;
  canvas.height = region.height;
  canvas.setAttribute(
    "aria-label",
    `${region.title}. The pink area will be painted over. Arrow keys move the brush, space uses it.`
  );
  [...find(".me-faces").children].forEach((button, i) => {
    button.setAttribute("aria-pressed", String(i === index));
    button.classList.toggle("me-struck", !regions[i].on);
  });
  find(".me-off").checked = !region.on;
  draw();
}

function draw() {
  const region = regions[current];
  if (!region) return;
  pen.drawImage(region.picture, 0, 0, region.width, region.height);
  const shown = pen.getImageData(0, 0, region.width, region.height);
  const data = shown.data;
  for (let i = 0; i < region.bits.length; i++) {
    if (!region.bits[i]) continue;
    data[4 * i] = 0.45 * data[4 * i] + 0.55 * 255;
    data[4 * i + 1] *= 0.45;
    data[4 * i + 2] = 0.45 * data[4 * i + 2] + 0.55 * 140;
  }
  pen.putImageData(shown, 0, 0);
  if (cursor && document.activeElement === canvas) {
    for (const [colour, width] of [["#000", 4], ["#fff", 2]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      pen.arc(cursor[0], cursor[1], radius(), 0, 7);
      pen.stroke();
    }
  }
  canvas.style.opacity = region.on ? 1 : 0.5;
  const share = (100 * region.bits.reduce((a, b) => a + b, 0)) / region.bits.length;
  find(".me-note").textContent = !region.on
    ? "This face will be left as it is."
    : share === 0
      ? "Nothing is marked here: paint over the mask."
      : `Pink is what will be painted over: ${share.toFixed(0)} % of this view.`;
}

const radius = () => (Number(find(".me-size").value) / 2) * (canvas.width / 384);

function remember() {
  const region = regions[current];
  region.past.push(region.bits.slice());
  if (region.past.length > 20) region.past.shift();
}

function dab(x, y) {
  const region = regions[current];
  const r = Math.max(1, radius());
  const [top, bottom] = [Math.max(0, Math.ceil(y - r)), Math.min(region.height - 1, y + r)];
  for (let row = top; row <= bottom; row++) {
    const half = Math.sqrt(r * r - (row - y) * (row - y));
    const from = Math.max(0, Math.ceil(x - half));
    const to = Math.min(region.width - 1, Math.floor(x + half));
    if (to >= from) region.bits.fill(tool === "paint" ? 1 : 0, row * region.width + from, row * region.width + to + 1);
  }
}

function stroke(from, to) {
  const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / 2));
  for (let i = 0; i <= steps; i++) {
    dab(from[0] + ((to[0] - from[0]) * i) / steps, from[1] + ((to[1] - from[1]) * i) / steps);
  }
}

function widen(bits, width, height, reach, value) {
  /* Every pixel within `reach` of one that holds `value` gets it: a square, twice a line. */
  const along = (source, count, step, lines, jump) => {
    const out = source.slice();
    for (let line = 0; line < lines; line++) {
      let ahead = -Infinity;
      const at = (i) => line * jump + i * step;
      for (let i = 0; i < count; i++) {
        if (source[at(i)] === value) ahead = i;
        if (i - ahead <= reach) out[at(i)] = value;
      }
      ahead = Infinity;
      for (let i = count - 1; i >= 0; i--) {
        if (source[at(i)] === value) ahead = i;
        if (ahead - i <= reach) out[at(i)] = value;
      }
    }
    return out;
  };
  return along(along(bits, width, 1, height, width), height, width, width, 1);
}

function changed() {
  regions[current].edited = true;
  draw();
  send();
}

function send() {
  const pack = (region) => {
    if (!region.edited) return null;
    const [made, context] = scratch(region.width, region.height);
    const image = context.createImageData(region.width, region.height);
    for (let i = 0; i < region.bits.length; i++) {
      image.data.fill(region.bits[i] ? 255 : 0, 4 * i, 4 * i + 3);
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    return made.toDataURL("image/png");
  };
  for (const region of regions) {
    if (region.sent !== region.bits || region === regions[current]) region.packed = pack(region);
    region.sent = region.bits;
  }
  const answer = regions.map((region) => ({ on: region.on, mask: region.packed }));
  props.value = { token, regions: answer };
}

const place = (event) => {
  const box = canvas.getBoundingClientRect();
  return [
    ((event.clientX - box.left) / box.width) * canvas.width,
    ((event.clientY - box.top) / box.height) * canvas.height,
  ];
};

canvas.addEventListener("pointerdown", (event) => {
  if (!regions.length || event.button > 0) return;
  event.preventDefault();
  canvas.focus();
  canvas.setPointerCapture(event.pointerId);
  remember();
  drawing = true;
  last = cursor = place(event);
  stroke(last, last);
  draw();
});
canvas.addEventListener("pointermove", (event) => {
  if (!drawing) return;
  const here = place(event);
  stroke(last, here);
  last = cursor = here;
  draw();
});
const lift = () => {
  if (!drawing) return;
  drawing = false;
  cursor = null;
  changed();
};
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", lift);
canvas.addEventListener("blur", () => draw());
canvas.addEventListener("keydown", (event) => {
  const step = Math.max(2, radius());
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!move && event.key !== " ") return;
  event.preventDefault();
  cursor = cursor || [canvas.width / 2, canvas.height * 0.6];
  if (move) {
    cursor = [
      Math.min(canvas.width, Math.max(0, cursor[0] + move[0] * step)),
      Math.min(canvas.height, Math.max(0, cursor[1] + move[1] * step)),
    ];
    draw();
  } else {
    remember();
    stroke(cursor, cursor);
    changed();
  }
});

element.querySelectorAll("[data-tool]").forEach((button) =>
  button.addEventListener("click", () => {
    tool = button.dataset.tool;
    element.querySelectorAll("[data-tool]").forEach((other) =>
      other.setAttribute("aria-pressed", String(other === button))
    );
  })
);
element.querySelectorAll("[data-act]").forEach((button) =>
  button.addEventListener("click", () => {
    const region = regions[current];
    if (!region) return;
    const act = button.dataset.act;
    const reach = Math.max(1, Math.round(region.width / 96));
    if (act === "undo") {
      if (!region.past.length) return;
      region.bits = region.past.pop();
      return changed();
    }
    remember();
    if (act === "reset") {
      region.bits = region.found.slice();
      region.edited = false;
      draw();
      return send();
    }
    region.bits = widen(region.bits, region.width, region.height, reach, act === "grow" ? 1 : 0);
    changed();
  })
);
find(".me-off").addEventListener("change", (event) => {
  regions[current].on = !event.target.checked;
  choose(current);
  send();
});

watch("value", () => {
  const value = props.value;
  if (!value || !value.regions) load(null);
  else if (value.regions.some((region) => region.image)) load(value);
});
if (props.value && props.value.regions) load(props.value);
