import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import {
  contentHash,
  idempotencyKey,
  normalizeText,
  placeLink,
  type SealedPart,
} from "../../shared/domain/content.ts";
import { hasVisible } from "../../shared/domain/post-limits.ts";
import {
  deliveryHash,
  mediaIdsOf,
  normalizePost,
  postHash,
  type PostContent,
} from "../../shared/domain/post.ts";

const LINK = "https://www.cdc.gov/heart-disease/";

const media = new Map([
  ["cuff", { sha256: "a".repeat(64), altText: "A cuff" }],
  ["arm", { sha256: "b".repeat(64), altText: "An arm" }],
]);

function aContent(content: Partial<PostContent> = {}): PostContent {
  return {
    parts: [{ text: "Know your numbers.", mediaIds: ["cuff"] }],
    channelIds: ["x", "m"],
    variants: {},
    link: null,
    sources: [],
    labels: [],
    campaign: null,
    latestAfterMinutes: 15,
    ...content,
  };
}

describe("nothing to see", () => {
  test.each([
    ["nothing", ""],
    ["spaces", " \n\t\u00A0\u2003"],
    ["a zero width space", "\u200B"],
    ["a word joiner, a soft hyphen and a byte-order mark", "\u2060\u00AD\uFEFF"],
    ["marks of direction", "\u202A\u202C\u2066\u2069"],
    ["a variation selector without a character", "\uFE0F"],
    ["a Hangul filler", "\u3164"],
    ["a braille pattern without dots", "\u2800"],
    ["tags without a flag", "\u{E0067}\u{E007F}"],
  ])("is %s", (_, text) => {
    expect(hasVisible(text)).toBe(false);
  });

  test.each(["a", " . ", "\u200Bא", "👩‍⚕️", "한", "⠁", "\u{1FADF}"])("is not %s", (text) => {
    expect(hasVisible(text)).toBe(true);
  });
});

describe("a text", () => {
  test("is stored composed, with plain line ends and no space around it", () => {
    expect(normalizeText("  Cafe\u0301\r\nZwei\rDrei \n")).toBe("Café\nZwei\nDrei");
  });

  test("keeps what it means inside: emoji, bidirectional marks, several spaces", () => {
    const text = "👨‍👩‍👧‍👦  \u200Fصحة القلب\u200E ❤️";

    expect(normalizeText(text)).toBe(text);
  });

  test("that is normal stays as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const once = normalizeText(text);
        expect(normalizeText(once)).toBe(once);
      }),
    );
  });

  test("is brought into that form in every part of a post and of its variants", () => {
    const parts = [{ text: " a\r\nb ", mediaIds: [] }];

    const content = normalizePost(aContent({ parts, variants: { x: { parts } } }));

    expect(content.parts[0]?.text).toBe("a\nb");
    expect(content.variants["x"]?.parts[0]?.text).toBe("a\nb");
  });
});

describe("the hash of a content", () => {
  const part: SealedPart = { text: "One.", media: [{ sha256: "a", altText: "A" }] };
  const hash = contentHash([part], null);

  test.each<[string, readonly SealedPart[], string | null]>([
    ["the text", [{ ...part, text: "One" }], null],
    ["the alt text", [{ ...part, media: [{ sha256: "a", altText: "B" }] }], null],
    ["the medium", [{ ...part, media: [{ sha256: "b", altText: "A" }] }], null],
    ["the number of parts", [part, { text: "", media: [] }], null],
    ["the card", [part], LINK],
  ])("changes with %s", (_what, parts, card) => {
    expect(contentHash(parts, card)).not.toBe(hash);
  });

  test("does not depend on the order in which fields were written", () => {
    expect(contentHash([{ media: part.media, text: part.text }], null)).toBe(hash);
  });

  test("differs where the same letters stand in other places", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (first, second) => {
        const apart = contentHash(
          [
            { text: first, media: [] },
            { text: second, media: [] },
          ],
          null,
        );
        const together = contentHash([{ text: first + second, media: [] }], null);
        expect(apart).not.toBe(together);
      }),
    );
  });

  test("gives another idempotency key for each delivery and part", () => {
    const keys = [
      idempotencyKey("d1", 0, hash),
      idempotencyKey("d1", 1, hash),
      idempotencyKey("d2", 0, hash),
      idempotencyKey("d1", 0, contentHash([], null)),
    ];

    expect(new Set(keys).size).toBe(4);
    expect(idempotencyKey("d1", 0, hash)).toBe(keys[0]);
  });
});

describe("the hash of a post", () => {
  const hash = postHash(aContent(), media);
  const variant = { parts: [{ text: "Numbers!", mediaIds: ["arm"] }] };

  test("changes with its words, media, alt texts, link and variants", () => {
    const others = [
      postHash(aContent({ parts: [{ text: "Know your number.", mediaIds: ["cuff"] }] }), media),
      postHash(aContent({ parts: [{ text: "Know your numbers.", mediaIds: ["arm"] }] }), media),
      postHash(aContent(), new Map([["cuff", { sha256: "a".repeat(64), altText: "The cuff" }]])),
      postHash(aContent({ link: LINK }), media),
      postHash(aContent({ variants: { x: variant } }), media),
      postHash(aContent({ variants: { m: variant } }), media),
    ];

    expect(new Set([hash, ...others]).size).toBe(7);
  });

  test("stays with what the public does not see", () => {
    const labelled = aContent({ labels: ["a"], campaign: "b", latestAfterMinutes: 60 });

    expect(postHash(labelled, media)).toBe(hash);
  });

  test("does not depend on the order of its variants", () => {
    const other = { parts: [{ text: "Others.", mediaIds: [] }] };

    expect(postHash(aContent({ variants: { x: variant, m: other } }), media)).toBe(
      postHash(aContent({ variants: { m: other, x: variant } }), media),
    );
  });

  test("cannot be made without knowing every medium", () => {
    expect(() => postHash(aContent(), new Map())).toThrow(/was not loaded/);
  });

  test("knows the media of variants", () => {
    expect(mediaIdsOf(aContent({ variants: { x: variant } }))).toEqual(["cuff", "arm"]);
  });
});

describe("what one channel shows", () => {
  const withCards = { id: "x", capabilities: { showsLinkCard: true } };
  const withoutCards = { id: "m", capabilities: { showsLinkCard: false } };

  test("has a hash of its own where it has a variant, and the common one where it has none", () => {
    const variants = { x: { parts: [{ text: "Numbers!", mediaIds: [] }] } };
    const content = aContent({ variants });

    expect(deliveryHash(content, withCards, media)).not.toBe(
      deliveryHash(content, withoutCards, media),
    );
    expect(deliveryHash(content, withoutCards, media)).toBe(
      deliveryHash(aContent(), withoutCards, media),
    );
  });

  test("is the link on a card where there are cards and no media, and below the text elsewhere", () => {
    const plain = [{ text: "Read on.", mediaIds: [] }];
    const pictured = [{ text: "Read on.", mediaIds: ["cuff"] }];

    expect(placeLink(plain, LINK, true)).toEqual({ parts: plain, card: LINK });
    expect(placeLink(pictured, LINK, true).parts[0]?.text).toBe(`Read on.\n\n${LINK}`);
    expect(placeLink(plain, LINK, false)).toEqual({
      parts: [{ text: `Read on.\n\n${LINK}`, mediaIds: [] }],
      card: null,
    });
    expect(placeLink([{ text: "", mediaIds: ["cuff"] }], LINK, false).parts[0]?.text).toBe(LINK);
  });

  test("does not repeat a link that the words hold already", () => {
    const parts = [
      { text: "Read on.", mediaIds: [] },
      { text: `Here: ${LINK}`, mediaIds: [] },
    ];

    expect(placeLink(parts, LINK, false)).toEqual({ parts, card: null });
  });
});
