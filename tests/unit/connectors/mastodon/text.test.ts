import { describe, expect, test } from "@jest/globals";
import { assert, constantFrom, property } from "fast-check";
import {
  capabilitiesOf,
  DEFAULT_LIMITS,
} from "../../../../shared/connectors/mastodon/capabilities.ts";
import { measure, withShortMentions } from "../../../../shared/connectors/mastodon/text.ts";

const ordinary = capabilitiesOf(DEFAULT_LIMITS);

describe("measure", () => {
  test.each([
    ["hello", 5],
    ["", 0],
    ["👨‍👩‍👧‍👦", 1],
    ["🇺🇦", 1],
    ["日本語", 3],
    ["e\u0301e\u0301", 2],
    ["two\nlines", 9],
    ["see https://example.com/a/very/long/path?x=1", 27],
    ["@alice@mastodon.example hi", 9],
  ])("counts %j as %i", (text, length) => {
    expect(measure(text, ordinary)).toBe(length);
  });

  test.each([
    ["ends a link before the full stop", "https://example.com/heart.", 24],
    ["ends a link before a closing bracket", "(https://example.com/heart)", 25],
    ["keeps balanced brackets in a link", "https://example.com/heart_(organ)", 23],
    ["takes letters of any script into a path", "https://example.com/नमस्ते", 23],
    ["takes the query along", "https://example.com?q=a,b!", 24],
    ["takes the port along", "https://example.com:8443/x", 23],
    ["counts two links", "https://example.com https://example.org", 47],
    ["knows links in capitals", "HTTPS://EXAMPLE.COM/HEART", 23],
    ["counts a bare domain as it is written", "example.com", 11],
    ["counts a host without a known ending as it is written", "https://localhost:3000/", 23],
    ["counts an unknown ending as it is written", "https://heart.notatld/abcdefghijk", 33],
    ["counts a link that clings to a word as it is written", "xhttps://example.com/a", 22],
    ["reads a mention in a path as part of the link", "https://example.com/@a@b.example", 23],
  ])("%s", (_name, text, length) => {
    expect(measure(text, ordinary)).toBe(length);
  });

  test.each([
    ["an e-mail address", "a@b.example", 11],
    ["a mention without a server", "@alice hi", 9],
    ["three names in a row", "@a@b@c", 6],
  ])("counts %s as it is written", (_name, text, length) => {
    expect(measure(text, ordinary)).toBe(length);
  });

  test("counts a link as the server of the channel reserves for it", () => {
    const hollo = capabilitiesOf({ ...DEFAULT_LIMITS, linkLength: 256 });

    expect(measure("https://example.com", hollo)).toBe(256);
  });

  test("counts links by their length where the server reserves nothing", () => {
    const plain = capabilitiesOf({ ...DEFAULT_LIMITS, linkLength: null });

    expect(measure("https://example.com", plain)).toBe(19);
  });

  test("counts a text and another with a space between as the sum and one", () => {
    const word = constantFrom("heart", "👍🏽", "https://nih.gov/x", "@a@b.example", "日本", "(ok)");

    assert(
      property(word, word, (one, other) => {
        const sum = measure(one, ordinary) + measure(other, ordinary) + 1;
        expect(measure(`${one} ${other}`, ordinary)).toBe(sum);
      }),
    );
  });

  test("stays quick on text that is made to be slow", () => {
    const text = `https://example.com/${"(a".repeat(5_000)}${"!".repeat(5_000)} ${"@a.".repeat(5_000)}`;
    const startedAt = performance.now();

    measure(text, ordinary);

    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

test("shortens mentions and leaves links alone", () => {
  const text = "Ask @cdc@health.example, see https://health.example/@cdc@other.example";

  expect(withShortMentions(text)).toBe("Ask @cdc, see https://health.example/@cdc@other.example");
});
