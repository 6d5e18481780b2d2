/**
 * The id that most platforms put at the end of a post's address, for want of a better one.
 * @returns null where the address has no path
 */
export function remoteIdFrom(permalink: string): string | null {
  const segments = new URL(permalink).pathname.split("/").filter((segment) => segment !== "");
  const last = segments.at(-1);
  return last === undefined ? null : decodeSegment(last);
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
