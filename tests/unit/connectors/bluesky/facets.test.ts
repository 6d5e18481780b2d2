import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { facetsOf, mentionedHandles } from "../../../../shared/connectors/bluesky/facets.ts";

const nobody = new Map<string, string>();

/** What a reader sees as live, cut out of the text's bytes as a client does it. */
function liveParts(text: string, dids: ReadonlyMap<string, string> = nobody) {
  const bytes = Buffer.from(text);
  return facetsOf(text, dids).map(({ index, features: [feature] }) => ({
    shown: bytes.subarray(index.byteStart, index.byteEnd).toString("utf8"),
    feature,
  }));
}

const link = (uri: string) => ({ $type: "app.bsky.richtext.facet#link", uri });
const tag = (tag: string) => ({ $type: "app.bsky.richtext.facet#tag", tag });

test("measures offsets in bytes, not in the units of a string", () => {
  const [facet] = facetsOf("❤️ é https://heart.org", nobody);

  expect(facet?.index).toEqual({ byteStart: 10, byteEnd: 27 });
});

test.each([
  ["Read https://cdc.gov/heart.", "https://cdc.gov/heart", "https://cdc.gov/heart"],
  ["(see http://a.example/x(y))", "http://a.example/x(y)", "http://a.example/x(y)"],
  ["CDC.gov/heart, now", "CDC.gov/heart", "https://CDC.gov/heart"],
  ["ask www.nhs.uk!", "www.nhs.uk", "https://www.nhs.uk"],
  ["“heart.org”", "heart.org", "https://heart.org"],
])("links %j", (text, shown, uri) => {
  expect(liveParts(text)).toEqual([{ shown, feature: link(uri) }]);
});

test.each([
  "Walk today.It is easy.",
  "Call 911.in an emergency",
  "write to heart@example.org",
  "ftp://example.org/file",
  "e.g. 3.5 mg at 8 a.m.",
  "$heart.com rose",
])("leaves %j as text", (text) => {
  expect(liveParts(text)).toEqual([]);
});

test.each([
  ["#HeartMonth!", "#HeartMonth", "HeartMonth"],
  ["know (#covid-19).", "#covid-19", "covid-19"],
  ["＃健康 です", "＃健康", "健康"],
  ["a #gø_Red…", "#gø_Red", "gø_Red"],
])("tags %j", (text, shown, name) => {
  expect(liveParts(text)).toEqual([{ shown, feature: tag(name) }]);
});

test.each(["We are #1", "a#b", "# heart", "#️⃣ keys", `#${"x".repeat(65)}`, "#..."])(
  "finds no hashtag in %j",
  (text) => {
    expect(liveParts(text)).toEqual([]);
  },
);

test("keeps the fragment of an address out of the hashtags", () => {
  const parts = liveParts("https://heart.org/#risk #risk");

  expect(parts.map(({ shown }) => shown)).toEqual(["https://heart.org/#risk", "#risk"]);
});

test("links mentions of known handles only, whatever their case", () => {
  const text = "Thanks @Alice.Bsky.Social and @bob.example.";

  const parts = liveParts(text, new Map([["alice.bsky.social", "did:plc:alice"]]));

  const feature = { $type: "app.bsky.richtext.facet#mention", did: "did:plc:alice" };
  expect(parts).toEqual([{ shown: "@Alice.Bsky.Social", feature }]);
});

test("asks for each mentioned handle once and for no other network's", () => {
  const text = "@a.example @A.example (@b.example) @carol@mastodon.example me@d.example @dave";

  expect(mentionedHandles(text)).toEqual(["a.example", "b.example"]);
});

test("never lets facets overlap or point outside of the text", () => {
  const piece = fc.constantFrom(
    "#tag",
    "#",
    "@a.example",
    "cdc.gov",
    "https://x.org/#y",
    " ",
    "\n",
    "é",
    "👨‍👩‍👧‍👦",
    ".",
    "(",
    "1",
  );
  const dids = new Map([["a.example", "did:plc:a"]]);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join("");
      let lastEnd = 0;
      for (const { index } of facetsOf(text, dids)) {
        expect(index.byteStart).toBeGreaterThanOrEqual(lastEnd);
        expect(index.byteEnd).toBeGreaterThan(index.byteStart);
        lastEnd = index.byteEnd;
      }
      expect(lastEnd).toBeLessThanOrEqual(Buffer.byteLength(text));
    }),
  );
});
