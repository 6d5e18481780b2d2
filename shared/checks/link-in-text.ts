import type { PostContent } from "../domain/post.ts";
import type { Finding } from "./finding.ts";

/** Only some platforms show the link by themselves; elsewhere readers see it where the text has it. */
export function linkFindings({ link, parts }: PostContent): Finding[] {
  if (link === null || parts.some(({ text }) => text.includes(link))) return [];
  return [
    {
      rule: "link.not_in_text",
      severity: "warning",
      field: "link",
      start: null,
      end: null,
      because:
        "The text does not hold the link, so only platforms with a card of their own show it.",
      suggestion: "Write the link into the text as well.",
      facts: {},
    },
  ];
}
