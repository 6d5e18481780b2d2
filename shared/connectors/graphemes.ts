const SEGMENTER = new Intl.Segmenter("und", { granularity: "grapheme" });

/**
 * Letters, digits and punctuation that never join what stands beside them: line feed, ASCII, Latin, Greek, Cyrillic, Armenian,
 * typographic dashes and quotation marks. None of them extends, is prepended to, or holds together other characters.
 * Source: https://www.unicode.org/reports/tr29/ table 2 and rules GB4 to GB999 (read 2026-11-22)
 */
const PLAIN = String.raw`[\n\x20-\x7e\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u058f\u2010-\u2027\u2030-\u205e]`;

const PLAIN_BETWEEN_PLAIN = new RegExp(`(?<=${PLAIN})${PLAIN}+(?=${PLAIN})`, "g");

/**
 * Characters as a reader sees them (extended grapheme clusters): a family emoji is one, so is a letter with its accents.
 * Only what is not plain is segmented: segmenting costs more than a hundred times as much.
 */
export function countGraphemes(text: string): number {
  let count = 0;
  const rest = text.replaceAll(PLAIN_BETWEEN_PLAIN, (run) => {
    count += run.length;
    return "";
  });
  for (const _ of SEGMENTER.segment(rest)) count += 1;
  return count;
}
