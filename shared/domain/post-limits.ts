/** How large a post may be here: far above every platform's limits, which channels know. In UTF-16 units or pieces. */
export const POST_LIMITS = {
  parts: 100,
  textLength: 50_000,
  mediaPerPart: 20,
  channels: 200,
  labels: 50,
  labelLength: 100,
  campaignLength: 200,
  externalIdLength: 200,
  sources: 50,
  sourceTitleLength: 300,
  addressLength: 2_048,
} as const;

/** An address that a reader can open, and may: one with a password in it would be published with it. */
export function isWebAddress(text: string): boolean {
  if (text.length > POST_LIMITS.addressLength || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return /^https?:$/.test(protocol) && /^[\p{L}\p{N}.-]+$/u.test(hostname);
}

/** Whether a reader would see anything of a text: spaces, and characters without a shape of their own, are nothing to see. */
export function hasVisible(text: string): boolean {
  // U+2800, a braille pattern without dots, is blank and in no category that says so.
  return /[^\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);
}
