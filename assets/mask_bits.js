/* Masks as arrays of 0 and 1, and as pictures. mask_editor.js goes on from here. */
const loadImage = (url) =>
  new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = failed;
    image.src = url;
  });

function bitsOf(picture, width, height) {
  /* 1 where a picture, stretched to the size, is light. */
  const [, context] = scratch(width, height);
  context.drawImage(picture, 0, 0, width, height);
  const data = context.getImageData(0, 0, width, height).data;
  return Uint8Array.from({ length: width * height }, (_, i) => (data[4 * i] > 127 ? 1 : 0));
}

function scratch(width, height) {
  const made = document.createElement("canvas");
  made.width = width;
  made.height = height;
  return [made, made.getContext("2d", { willReadFrequently: true })];
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

function maskPicture(region) {
  const [made, context] = scratch(region.width, region.height);
  const image = context.createImageData(region.width, region.height);
  for (let i = 0; i < region.bits.length; i++) {
    image.data.fill(region.bits[i] ? 255 : 0, 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return made;
}
