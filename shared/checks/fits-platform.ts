import { hasVisible } from "../domain/post-limits.ts";
import type { Finding } from "./finding.ts";

/** A part with what a platform looks at. */
export interface CheckedPart {
  /** As readers see it: a link that stands below it counts. */
  readonly text: string;
  /** How much of it the author wrote, in UTF-16 units. */
  readonly writtenLength: number;
  readonly media: readonly CheckedMedium[];
}

interface CheckedMedium {
  readonly contentType: string;
  readonly byteLength: number;
  readonly altText: string;
}

/** What a channel takes: its limits, and how its platform counts. */
export interface Target {
  readonly channelId: string;
  readonly channelName: string;
  readonly limits: Limits;
  /** Length of a text in the unit of `limits.text.max`. */
  readonly measure: (text: string) => number;
}

/** The part of a connector's capabilities that concerns the content. */
interface Limits {
  readonly text: {
    readonly max: number;
    readonly countedAs: string;
    readonly maxBytes: number | null;
  };
  readonly media: {
    readonly maxCount: number;
    readonly maxBytesByType: Readonly<Record<string, number>>;
    readonly altTextMax: number | null;
  };
  readonly threadMax: number;
}

/** Everything about the parts that the channel's platform would refuse, and what readers there would miss. */
export function fitsPlatform(
  parts: readonly CheckedPart[],
  target: Target,
  /** Where the parts stand in the request: empty, or `variants.<channelId>.`. */
  prefix = "",
): Finding[] {
  const { threadMax } = target.limits;
  const tooMany =
    parts.length > threadMax ? [tooManyParts(parts.length, target, `${prefix}parts`)] : [];
  const ofParts = parts.flatMap((part, index) => {
    const field = `${prefix}parts.${index}`;
    return [...textFindings(part, target, field), ...mediaFindings(part, target, field)];
  });
  return [...tooMany, ...ofParts];
}

function tooManyParts(count: number, target: Target, field: string): Finding {
  const max = target.limits.threadMax;
  const because =
    max === 1
      ? `${target.channelName} takes no threads, and this post has ${count} parts.`
      : `${target.channelName} takes at most ${max} parts, and this post has ${count}.`;
  return finding(target, {
    rule: "thread.too_long",
    field,
    because,
    suggestion: "Shorten the thread, or give this channel a variant of its own.",
    facts: { count, max },
  });
}

function textFindings(part: CheckedPart, target: Target, field: string): Finding[] {
  const { text, writtenLength: end } = part;
  const { max, countedAs, maxBytes } = target.limits.text;
  const found: Finding[] = [];
  const count = target.measure(text);
  const suggestion = "Shorten it, split it into parts, or give this channel a variant of its own.";
  if (count > max) {
    found.push(
      finding(target, {
        rule: "text.too_long",
        field: `${field}.text`,
        end,
        because: `The text has ${count} of at most ${max} on ${target.channelName} (counted as ${countedAs}).`,
        suggestion,
        facts: { count, max },
      }),
    );
  }
  const bytes = maxBytes === null ? 0 : Buffer.byteLength(text);
  if (maxBytes !== null && bytes > maxBytes) {
    found.push(
      finding(target, {
        rule: "text.too_many_bytes",
        field: `${field}.text`,
        end,
        because: `The text has ${bytes} of at most ${maxBytes} bytes on ${target.channelName}.`,
        suggestion,
        facts: { count: bytes, max: maxBytes },
      }),
    );
  }
  return found;
}

function mediaFindings({ media }: CheckedPart, target: Target, field: string): Finding[] {
  const { maxCount } = target.limits.media;
  const tooMany =
    media.length <= maxCount
      ? []
      : [
          finding(target, {
            rule: "media.too_many",
            field: `${field}.mediaIds`,
            because:
              maxCount === 0
                ? `${target.channelName} takes no media.`
                : `${target.channelName} takes at most ${maxCount} media in a part, and this one has ${media.length}.`,
            suggestion: "Take some away, or spread them over several parts.",
            facts: { count: media.length, max: maxCount },
          }),
        ];
  const single = media.flatMap((medium, index) =>
    mediumFindings(medium, target, `${field}.mediaIds.${index}`),
  );
  return [...tooMany, ...single];
}

function mediumFindings(medium: CheckedMedium, target: Target, field: string): Finding[] {
  const { maxBytesByType } = target.limits.media;
  const maxBytes = maxBytesByType[medium.contentType];
  if (maxBytes === undefined) {
    return [
      finding(target, {
        rule: "media.type_not_taken",
        field,
        because: `${target.channelName} does not take ${medium.contentType}.`,
        suggestion: `Use one of ${Object.keys(maxBytesByType).join(", ")}.`,
        facts: {},
      }),
    ];
  }
  const tooBig =
    medium.byteLength <= maxBytes
      ? []
      : [
          finding(target, {
            rule: "media.too_big",
            field,
            because: `The file has ${medium.byteLength} bytes, and ${target.channelName} takes at most ${maxBytes}.`,
            suggestion: "Upload a smaller version.",
            facts: { count: medium.byteLength, max: maxBytes },
          }),
        ];
  return [...tooBig, ...altTextFindings(medium, target, field)];
}

function altTextFindings({ altText }: CheckedMedium, target: Target, field: string): Finding[] {
  const max = target.limits.media.altTextMax;
  if (!hasVisible(altText)) return max === null ? [] : [missingAltText(target, field)];
  if (max === null) {
    const because = `${target.channelName} shows no alt text, so readers there go without it.`;
    const suggestion = "Say in the text what the image shows.";
    return [warning(target, { rule: "alt_text.not_shown", field, because, suggestion })];
  }
  if (altText.length <= max) return [];
  return [
    finding(target, {
      rule: "alt_text.too_long",
      field,
      because: `The alt text has ${altText.length} of at most ${max} characters on ${target.channelName}.`,
      suggestion: "Shorten the alt text of the medium.",
      facts: { count: altText.length, max },
    }),
  ];
}

function missingAltText(target: Target, field: string): Finding {
  return warning(target, {
    rule: "alt_text.missing",
    field,
    because: "The image has no alt text: people who cannot see it learn nothing from it.",
    suggestion: "Describe in a sentence or two what the image tells.",
  });
}

function warning(
  target: Target,
  found: Pick<Finding, "rule" | "field" | "because" | "suggestion">,
): Finding {
  return { ...finding(target, { ...found, facts: {} }), severity: "warning" };
}

function finding(
  target: Target,
  found: Pick<Finding, "rule" | "field" | "because" | "suggestion" | "facts"> & { end?: number },
): Finding {
  const { end, facts, ...rest } = found;
  return {
    ...rest,
    severity: "error",
    start: end === undefined ? null : 0,
    end: end ?? null,
    facts: { channelId: target.channelId, ...facts },
  };
}
