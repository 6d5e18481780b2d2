const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Length in graphemes: what a reader takes for one character counts as one, a link counts in full. */
export function measure(text: string): number {
  let count = 0;
  for (const _ of segmenter.segment(text)) count += 1;
  return count;
}

/** The form in which two texts are the same text: NFC, `\n` only, trimmed. */
export function normalise(text: string): string {
  return text.normalize("NFC").replaceAll("\r\n", "\n").trim();
}
