import { describe, expect, test } from "@jest/globals";
import {
  fingerprint,
  returnedFingerprint,
  weightedLength,
} from "../../../../shared/connectors/x/text.ts";

describe("the weighted length", () => {
  test.each([
    ["hello", 5],
    ["👨‍👩‍👧‍👦", 2],
    ["🇺🇦", 2],
    ["日本語", 6],
    ["see https://example.com/a/very/long/path?x=1", 27],
    ["@alice@mastodon.example hi", 26],
    ["e\u0301e\u0301", 2],
    ["नमस्ते", 6],
    ["€…“”—", 7],
    ["example.com", 23],
    ["t.co", 23],
    ["http://localhost:3000/", 22],
    ["", 0],
  ])("of %s is %d", (text, length) => {
    expect(weightedLength(text)).toBe(length);
  });

  test.each(["🫱🏻‍🫲🏿", "👩🏽‍🤝‍👨🏻", "🐦‍🔥", "❤️", "1️⃣"])(
    "of %s is 2, also where the library does not know it",
    (emoji) => {
      expect(weightedLength(emoji)).toBe(2);
      expect(weightedLength(`heart ${emoji}${emoji}`)).toBe(10);
    },
  );
});

describe("the fingerprint", () => {
  test("sees through X's short links, its entities and the link of the media", () => {
    const sent =
      "Walk & rest <30 min> https://example.org/a?b=1&c=2 and example.com\r\n\r\nCafe\u0301";
    const returned = {
      text: "Walk &amp; rest &lt;30 min&gt; https://t.co/aaaaaaaaaa and https://t.co/bbbbbbbbbb\n\nCafé https://t.co/cccccccccc",
      entities: {
        urls: [
          { url: "https://t.co/aaaaaaaaaa", expanded_url: "https://example.org/a?b=1&c=2" },
          { url: "https://t.co/bbbbbbbbbb", expanded_url: "http://example.com" },
          { url: "https://t.co/cccccccccc", media_key: "3_1" },
        ],
      },
    };

    expect(returnedFingerprint(returned)).toBe(fingerprint(sent));
  });

  test("reads the long form where X cut the short one off", () => {
    const text = `${"Your heart beats. ".repeat(20)}https://example.org`;
    const returned = {
      text: "Your heart beats. Your heart…",
      note_tweet: {
        text: text.replace("https://example.org", "https://t.co/aaaaaaaaaa"),
        entities: {
          urls: [{ url: "https://t.co/aaaaaaaaaa", expanded_url: "https://example.org/" }],
        },
      },
    };

    expect(returnedFingerprint(returned)).toBe(fingerprint(text));
  });

  test("decodes an entity once, so that a written one stays", () => {
    const returned = { text: "Write &amp;amp; for &amp;" };

    expect(returnedFingerprint(returned)).toBe(fingerprint("Write &amp; for &"));
  });

  test("recognises the link of media without its key", () => {
    const returned = {
      text: "Heart https://t.co/aaaaaaaaaa",
      entities: {
        urls: [
          { url: "https://t.co/aaaaaaaaaa", expanded_url: "https://x.com/heart/status/12/photo/1" },
        ],
      },
    };

    expect(returnedFingerprint(returned)).toBe("Heart");
  });

  test("keeps different links and different words apart", () => {
    expect(fingerprint("a https://example.org/1")).not.toBe(fingerprint("a https://example.org/2"));
    expect(fingerprint("a https://example.org/P")).not.toBe(fingerprint("a https://example.org/p"));
    expect(fingerprint("Rest today")).not.toBe(fingerprint("Rest today."));
  });
});
