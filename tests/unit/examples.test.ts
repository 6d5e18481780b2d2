import { readFileSync, readdirSync, statSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { parse } from "csv-parse/sync";
import { DateTime } from "luxon";
import sharp from "sharp";
import twitterText from "twitter-text";

const FILE = "examples/american-heart-month-2027.csv";
const IMAGES = "examples/images/";
const COLUMNS = "id,channel,time,zone,text,parts,media,alt text,link,campaign,labels,sources".split(
  ",",
);
const X = "Heart Center (X)";
const BLUESKY = "Heart Center (Bluesky)";
const MASTODON = "Heart Center (Mastodon)";
const CHANNELS = ["Heart Center (sandbox)", X, MASTODON, BLUESKY];
const SOURCE_HOSTS =
  /(^|\.)(cdc\.gov|nih\.gov|heart\.org|who\.int|stroke\.org|womenshealth\.gov|medlineplus\.gov|smokefree\.gov)$/;
const URL_IN_TEXT = /https?:\/\/\S+/g;

interface Example {
  id: string;
  channels: string[];
  time: string;
  zone: string;
  parts: string[];
  images: { part: number; name: string }[];
  alts: string[];
  link: string;
  campaign: string;
  labels: string[];
  sources: string[];
}

const table = parse(readFileSync(FILE), { skip_empty_lines: true }).map((cells) =>
  cells.map(String),
);
const rows = table.slice(1).map(toExample);

test("the header names every column once, in order", () => {
  expect(table[0]).toEqual(COLUMNS);
});

test("there are enough posts, threads and pictures, spread over all channels and both zones", () => {
  expect(rows.length).toBeGreaterThanOrEqual(64);
  expect(rows.filter((row) => row.parts.length > 1).length).toBeGreaterThanOrEqual(8);
  expect(Math.max(...rows.map((row) => row.parts.length))).toBeLessThanOrEqual(5);
  expect(rows.filter((row) => row.images.length > 0).length).toBeGreaterThanOrEqual(25);
  for (const channel of CHANNELS) {
    expect(rows.filter((row) => row.channels.includes(channel)).length).toBeGreaterThanOrEqual(40);
  }
  for (const zone of ["America/Chicago", "America/Phoenix"]) {
    expect(rows.filter((row) => row.zone === zone).length).toBeGreaterThanOrEqual(20);
  }
});

test("ids are unique and every row is complete", () => {
  expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length);
  const incomplete = rows.filter(
    (row) =>
      !/^ahm27-\d{3}$/.test(row.id) ||
      row.channels.some((channel) => !CHANNELS.includes(channel)) ||
      new Set(row.channels).size !== row.channels.length ||
      row.parts.some((part) => part.trim() !== part || part === "") ||
      row.campaign === "" ||
      row.labels.some((label) => !/^[a-z]+(-[a-z]+)*$/.test(label)),
  );
  expect(incomplete).toEqual([]);
});

test("every time exists once in its zone, by day, within the seven weeks", () => {
  for (const { id, time, zone } of rows) {
    const at = DateTime.fromISO(time, { zone });
    const wall = at.toFormat("yyyy-MM-dd'T'HH:mm");
    // Luxon moves a skipped hour forward, so a changed wall time gives the gap away.
    expect({ id, wall, offsets: at.getPossibleOffsets().length }).toEqual({
      id,
      wall: time,
      offsets: 1,
    });
    expect(["America/Chicago", "America/Phoenix"]).toContain(zone);
    expect(time >= "2027-02-01T00:00" && time < "2027-03-21T00:00").toBe(true);
    expect(at.hour).toBeGreaterThanOrEqual(8);
    expect(at.hour).toBeLessThan(20);
  }
});

test("the days around the clock change have posts in the zone that changes", () => {
  const chicago = rows.filter((row) => row.zone === "America/Chicago");
  const offsetOn = (day: string) =>
    chicago
      .filter((row) => row.time.startsWith(day))
      .map((row) => DateTime.fromISO(row.time, { zone: row.zone }).offset / 60)[0];
  expect(["2027-03-13", "2027-03-14", "2027-03-15"].map(offsetOn)).toEqual([-6, -5, -5]);
});

test("no channel publishes two posts in one minute", () => {
  const slots = rows.flatMap((row) =>
    row.channels.map(
      (channel) => `${channel} ${DateTime.fromISO(row.time, { zone: row.zone }).toMillis()}`,
    ),
  );
  expect(slots.filter((slot, at) => slots.indexOf(slot) !== at)).toEqual([]);
});

test("every part fits its channels, also with the link below the first and the last part", () => {
  const limits: [string, number, (text: string) => number][] = [
    [X, 280, (text) => twitterText.parseTweet(text).weightedLength],
    [BLUESKY, 300, graphemes],
    [MASTODON, 500, (text) => graphemes(text.replace(URL_IN_TEXT, "x".repeat(23)))],
  ];
  for (const row of rows) {
    const outer = row.link
      ? [row.parts[0], row.parts.at(-1)].map((part) => `${part}\n\n${row.link}`)
      : [];
    for (const [channel, limit, count] of limits) {
      if (!row.channels.includes(channel)) continue;
      const tooLong = [...row.parts, ...outer].filter((text) => count(text) > limit);
      expect({ id: row.id, channel, tooLong }).toEqual({ id: row.id, channel, tooLong: [] });
    }
  }
});

test("every image has its own alt text, and no part has more than four images", () => {
  for (const { id, images, alts, parts } of rows) {
    expect({ id, alts: alts.length }).toEqual({ id, alts: images.length });
    for (const alt of alts) {
      expect(alt.length).toBeGreaterThan(40);
      expect(alt.length).toBeLessThanOrEqual(300);
      expect(alt).not.toMatch(/^(an? )?(image|picture|photo|drawing) of|\.(png|svg)/i);
      expect(parts).not.toContain(alt);
    }
    for (const [at] of parts.entries()) {
      expect(images.filter(({ part }) => part === at + 1).length).toBeLessThanOrEqual(4);
    }
    expect(images.every(({ part }) => part >= 1 && part <= parts.length)).toBe(true);
  }
});

test("the numbers in a picture are in its alt text too", () => {
  const altOf = new Map(
    rows.flatMap((row) => row.images.map(({ name }, at) => [name, row.alts[at]])),
  );
  expect(altOf.get("call-911.png")).toContain("911");
  expect(altOf.get("blood-pressure-cuff.png")).toMatch(/118.*76/);
  expect(altOf.get("cpr-3-aed.png")).toMatch(/3.*AED/);
});

test("every image is a PNG of 1200 x 675 under 1 MB, and all of them are used", async () => {
  const used = new Set(rows.flatMap((row) => row.images.map(({ name }) => name)));
  const drawn = readdirSync(IMAGES).filter((name) => name.endsWith(".png"));
  expect(drawn.length).toBeGreaterThanOrEqual(12);
  expect([...used].sort()).toEqual(drawn.sort());
  for (const name of drawn) {
    const { format, width, height } = await sharp(IMAGES + name).metadata();
    expect({ name, format, width, height }).toEqual({
      name,
      format: "png",
      width: 1200,
      height: 675,
    });
    expect(statSync(IMAGES + name).size).toBeLessThan(1_000_000);
  }
});

test("every image is its drawing, and no drawing needs a font or another file", async () => {
  for (const name of readdirSync(IMAGES).filter((file) => file.endsWith(".svg"))) {
    expect(readFileSync(IMAGES + name, "utf8")).not.toMatch(/<(text|image|use|style)|href|url\(/);
    const input = IMAGES + name.replace(".svg", ".png");
    const difference = sharp(IMAGES + name).composite([{ input, blend: "difference" }]);
    const { channels } = await sharp(await difference.flatten().tiff().toBuffer()).stats();
    // Not byte for byte: another processor may round the edge of a shape in another way.
    const off = Math.max(...channels.map(({ mean }) => mean));
    expect({ name, same: off < 1 }).toEqual({ name, same: true });
  }
});

test("every row names its sources, and links lead to public health bodies alone", () => {
  for (const { id, sources, link } of rows) {
    expect(sources.length).toBeGreaterThanOrEqual(1);
    const addresses = sources.map(
      (source) => /^\S.* <(https:\/\/[^\s>]+)>$/.exec(source)?.[1] ?? source,
    );
    for (const address of link ? [...addresses, link] : addresses) {
      expect({ id, address, host: new URL(address).hostname }).toEqual({
        id,
        address,
        host: expect.stringMatching(SOURCE_HOSTS),
      });
    }
    if (link) expect(addresses).toContain(link);
  }
});

test("every row reads at grade 8 or below", () => {
  const hard = rows
    .map((row) => ({ id: row.id, grade: readingGrade(row.parts.join("\n")) }))
    .filter(({ grade }) => grade > 8);
  expect(hard).toEqual([]);
});

test("a row about an emergency says to call 911", () => {
  const urgent = rows.filter((row) =>
    row.labels.some((label) => /^(emergency|warning-signs)$/.test(label)),
  );
  expect(urgent.length).toBeGreaterThanOrEqual(8);
  expect(
    urgent.filter((row) => !/call 911/i.test(row.parts.join(" "))).map((row) => row.id),
  ).toEqual([]);
});

test("no row promises, scares, labels people or hides words in a hashtag", () => {
  const unwanted =
    /\b(cures?|guarantee\w*|miracle\w*|100 ?%|risk-free|deadly|silent killer|epidemic|click here|smokers|diabetics|patients|obese|victims?|suffer\w*)\b/i;
  for (const { id, parts } of rows) {
    const all = parts.join("\n");
    const tags = all.match(/#\w+/g) ?? [];
    expect({ id, found: unwanted.exec(all)?.[0] }).toEqual({ id, found: undefined });
    expect(tags.length).toBeLessThanOrEqual(2);
    for (const tag of tags) expect(tag).toMatch(/^#([A-Z]+[a-z]*)+$/);
    for (const part of parts) expect(part).not.toMatch(/#\w+\s+[^\s#]/);
    expect((all.match(/\p{Extended_Pictographic}/gu) ?? []).length).toBeLessThanOrEqual(1);
  }
});

test("the grade is the Flesch-Kincaid formula on a counter that knows common words", () => {
  const known =
    "walk:1 blood:1 smoked:1 table:2 pressure:2 people:2 quiet:2 needed:2 changes:2 exercise:3";
  const longer =
    "medicine:3 serious:3 usual:3 attention:3 fluoride:3 vegetables:4 diabetes:4 cholesterol:4";
  const expected = `${known} ${longer}`.split(" ");
  expect(
    expected.map((pair) => pair.split(":")[0] ?? "").map((word) => `${word}:${syllables(word)}`),
  ).toEqual(expected);
  // 10 words, 2 sentences, 12 syllables: 0.39 * 5 + 11.8 * 1.2 - 15.59
  expect(
    readingGrade("The dog ran to the table. We ate some apples. #FunDay https://a.b"),
  ).toBeCloseTo(0.52, 2);
});

function toExample(cells: string[]): Example {
  const cell = (column: string) => cells[COLUMNS.indexOf(column)] ?? "";
  const list = (column: string) => cell(column).split("|").filter(Boolean);
  return {
    id: cell("id"),
    channels: list("channel"),
    time: cell("time"),
    zone: cell("zone"),
    parts: [cell("text"), ...(cell("parts") ? cell("parts").split(/\r?\n---\r?\n/) : [])],
    images: list("media").map((entry) => {
      const [, part, name] = /^(?:(\d+):)?(.+)$/.exec(entry) ?? [];
      return { part: Number(part ?? 1), name: name ?? "" };
    }),
    alts: list("alt text"),
    link: cell("link"),
    campaign: cell("campaign"),
    labels: list("labels"),
    sources: list("sources"),
  };
}

function graphemes(text: string): number {
  return [...new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text)].length;
}

/** Flesch-Kincaid grade. A line break ends a sentence; addresses, hashtags, list marks do not count. */
function readingGrade(text: string): number {
  const clean = text
    .replace(URL_IN_TEXT, "")
    .replace(/#\w+/g, "")
    .replace(/^\s*\d+\.\s/gm, "")
    .replace(/\b(?:[A-Z]\.){2,}/g, (letters) => letters.replaceAll(".", ""));
  const sentences = clean
    .split(/[.!?]+(?=\s|"|$)|\n+/)
    .filter((sentence) => /\p{L}/u.test(sentence));
  const words = clean.match(/[\p{L}\p{N}][\p{L}\p{N}'’,]*/gu) ?? [];
  const sounds = words.reduce((sum, word) => sum + syllables(word), 0);
  return 0.39 * (words.length / sentences.length) + 11.8 * (sounds / words.length) - 15.59;
}

/** Counts groups of vowels, less silent endings; a number counts one for each digit. */
function syllables(word: string): number {
  const digits = word.replace(/\D/g, "").length;
  if (digits > 0) return digits;
  const letters = word.toLowerCase().replace(/[^a-z]/g, "");
  if (letters === "diabetes") return 4;
  if (/^(quiet|diet|being|doing)s?$/.test(letters)) return 2;
  const spoken = letters
    .replace(/([^aeiouysxzcgh])es$|([^aeiou])s$/, (all, open: string) =>
      open ? `${open}e` : all.slice(0, -1),
    )
    .replace(/([^aeioutd])ed$/, "$1")
    .replace(/([^aeiouyl])e$|([aeiouy]l)e$/, "$1$2");
  const split = spoken.match(/[^tcsgx]i[ao]|[^qg]u[ao]/g) ?? [];
  return Math.max(1, (spoken.match(/[aeiouy]+/g) ?? []).length + split.length);
}
