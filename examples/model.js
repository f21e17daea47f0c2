// The classifier that both commands share, and how its pixels are prepared.
import { tensor } from "gradine";
import { Linear, ReLU, Sequential } from "gradine/nn";

/** Where `npm start` leaves the trained weights. */
export const weightsFile = new URL("../digits-model.safetensors", import.meta.url);

/** 64 pixels -> 10 digits, two hidden layers. */
export const makeModel = () =>
  new Sequential(new Linear(64, 128), new ReLU(), new Linear(128, 64), new ReLU(), new Linear(64, 10));

/** Pixels 0..16 as an f32 tensor [images, 64]. */
export const imagesOf = (pixels) => tensor(Float32Array.from(pixels), { shape: [pixels.length / 64, 64] });

const shades = " .:-=+*#%@";

/** One 8x8 image as eight lines of text. */
export function draw(pixels) {
  const lines = [];
  for (let row = 0; row < 8; row++) {
    let line = "";
    for (let column = 0; column < 8; column++)
      line += shades[Math.round((pixels[8 * row + column] / 16) * 9)].repeat(2);
    lines.push(line);
  }
  return lines;
}
