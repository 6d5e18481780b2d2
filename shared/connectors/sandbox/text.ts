const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Characters as people see them: a family emoji is one, so is a letter with its accents. */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of graphemes.segment(text)) count += 1;
  return count;
}
