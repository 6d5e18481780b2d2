import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { CHANNELS } from "../../scripts/demo/channels.ts";
import { readPlan } from "../../scripts/demo/plan.ts";
import { loadConnectors } from "../../shared/connectors/registry.ts";
import { SCENES } from "../../scripts/demo/scenes.ts";
import { momentOf } from "../../scripts/demo/moment.ts";

const HEADER = "id,channel,time,zone,text,parts,media,alt text,link,campaign,labels,sources";
const LINK = "https://www.example.org/heart";

test("a row becomes one delivery a channel, at its wall clock's instant", () => {
  const plan = readPlan(`${HEADER}\n${row({ channel: "A|B" })}`, () => true);

  expect(plan.deliveries).toEqual([
    { post: "p1", channel: "A", dueAt: new Date("2027-03-14T13:00:00Z"), parts: [plain] },
    { post: "p1", channel: "B", dueAt: new Date("2027-03-14T13:00:00Z"), parts: [plain] },
  ]);
});

const plain = { text: "Hello", altTexts: [] };

test("parts, and images with their alt texts, belong where the plan puts them", () => {
  const cells = { parts: '"Two\n---\nThree"', media: "a.png|3:b.png|3:a.png", alts: "A|B|C" };

  const plan = readPlan(`${HEADER}\n${row(cells)}`, () => false);

  expect(plan.deliveries[0]?.parts).toEqual([
    { text: "Hello", altTexts: ["A"] },
    { text: "Two", altTexts: [] },
    { text: "Three", altTexts: ["B", "C"] },
  ]);
  expect(plan.images).toEqual(["a.png", "b.png"]);
});

test("a link is part of the text where the channel shows no card beside it", () => {
  const csv = `${HEADER}\n${row({ channel: "Cards|Texts", link: LINK })}`;

  const plan = readPlan(csv, (channel) => channel === "Cards");

  const texts = plan.deliveries.map(({ parts }) => parts[0]?.text);
  expect(texts).toEqual(["Hello", `Hello\n\n${LINK}`]);
});

test("an image takes the card's place, so that the link is part of the text", () => {
  const csv = `${HEADER}\n${row({ link: LINK, media: "a.png", alts: "A" })}`;

  const plan = readPlan(csv, () => true);

  expect(plan.deliveries[0]?.parts[0]?.text).toBe(`Hello\n\n${LINK}`);
});

test("a link that the text has already is not written twice", () => {
  const csv = `${HEADER}\n${row({ link: LINK, text: `See ${LINK}` })}`;

  const plan = readPlan(csv, () => false);

  expect(plan.deliveries[0]?.parts[0]?.text).toBe(`See ${LINK}`);
});

const example = readPlan(
  readFileSync("examples/american-heart-month-2027.csv", "utf8"),
  () => false,
);

test("every channel of the example plan has a platform in the demo", () => {
  const named = new Set(example.deliveries.map(({ channel }) => channel));

  expect([...named].sort()).toEqual(CHANNELS.map(({ name }) => name).sort());
});

test("every scene concerns a delivery of the example plan, and no two concern the same", () => {
  const planned = new Set(example.deliveries.map(({ post, channel }) => `${post} ${channel}`));
  const concerned = SCENES.map(({ post, channel }) => `${post} ${channel}`);

  expect(concerned.filter((delivery) => !planned.has(delivery))).toEqual([]);
  const twice = concerned.filter((delivery, at) => concerned.indexOf(delivery) !== at);
  expect(twice).toEqual([]);
});

test("no scene is wider than a terminal of 80 columns", async () => {
  const connectors = await loadConnectors();
  const platforms = new Map(CHANNELS.map(({ name, platform }) => [name, platform]));

  const lines = SCENES.map(({ channel, says }) => {
    const { name } = connectors.get(platforms.get(channel) ?? "") ?? { name: "" };
    return `  ${momentOf(new Date(0))}  ${name} ${says}`;
  });

  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

function row(
  cells: Partial<Record<"channel" | "text" | "parts" | "media" | "alts" | "link", string>>,
) {
  const { channel = "A", text = "Hello", parts = "", media = "", alts = "", link = "" } = cells;
  const time = "2027-03-14T08:00,America/Chicago";
  return `p1,${channel},${time},${text},${parts},${media},${alts},${link},c,l,s`;
}
