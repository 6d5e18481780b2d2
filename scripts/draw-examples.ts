/** Draws the example images: every `examples/images/*.svg` becomes a PNG of the same name. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";

const FOLDER = "examples/images";

// The drawings hold shapes only, no text and no outside file: no installed font changes the result.
const drawings = (await readdir(FOLDER)).filter((name) => name.endsWith(".svg")).sort();
for (const name of drawings) {
  const target = join(FOLDER, name.replace(/\.svg$/, ".png"));
  const { size } = await sharp(join(FOLDER, name))
    .resize(1200, 675)
    .png({ palette: true, colours: 128, dither: 0, compressionLevel: 9, effort: 10 })
    .toFile(target);
  console.log(`${target} ${size} bytes`);
}
