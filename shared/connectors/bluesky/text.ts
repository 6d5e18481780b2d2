/** The form in which two texts are the same text: NFC, `\n` only, trimmed. */
export function normalise(text: string): string {
  return text.normalize("NFC").replaceAll("\r\n", "\n").trim();
}
