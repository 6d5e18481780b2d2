import type { PartContent } from "../domain/content.ts";
import { hasVisible } from "../domain/post-limits.ts";
import type { PostContent } from "../domain/post.ts";
import type { Finding } from "./finding.ts";

/** Parts that have neither a text that can be seen nor a medium: no platform takes them, or readers see nothing. */
export function emptyParts({ parts, variants }: PostContent): Finding[] {
  const ofVariants = Object.entries(variants).flatMap(([channelId, variant]) =>
    emptyPartsIn(variant.parts, `variants.${channelId}.`),
  );
  return [...emptyPartsIn(parts, ""), ...ofVariants];
}

function emptyPartsIn(parts: readonly PartContent[], prefix: string): Finding[] {
  return parts.flatMap(({ text, mediaIds }, index) =>
    !hasVisible(text) && mediaIds.length === 0 ? [emptyPart(`${prefix}parts.${index}`)] : [],
  );
}

function emptyPart(field: string): Finding {
  return {
    rule: "part.empty",
    severity: "error",
    field,
    start: null,
    end: null,
    because: "The part has neither a text that can be seen nor a medium.",
    suggestion: "Write something, add an image, or take the part away.",
    facts: {},
  };
}
