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

/** An address that a reader can open. */
export function isWebAddress(text: string): boolean {
  if (text.length > POST_LIMITS.addressLength || !URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return /^https?:$/.test(protocol) && /^[\p{L}\p{N}.-]+$/u.test(hostname);
}
