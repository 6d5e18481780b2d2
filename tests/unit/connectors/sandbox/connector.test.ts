import { afterEach, expect, test } from "@jest/globals";
import type { OutgoingPart } from "../../../../shared/connectors/connector.ts";
import { connector } from "../../../../shared/connectors/sandbox/index.ts";
import { startSimulator } from "../../../../shared/connectors/sandbox/simulator.ts";
import type { Simulator } from "../../../../shared/connectors/simulator.ts";
import { GIF } from "./practice.ts";

const HOST_KEY = "the key of this Postwell";
const DAY_MS = 24 * 3_600_000;

let simulator: Simulator;
let time: number;

afterEach(() => simulator.close());

/** What the connector gets, with this key. */
async function aCall(hostKey: string | undefined) {
  time = Date.parse("2027-02-05T15:00:00Z");
  const now = () => new Date(time);
  simulator = await startSimulator({ hostKey: HOST_KEY, now });
  return {
    settings: connector.settings.parse({ baseUrl: simulator.url, hostKey }),
    credentials: connector.credentials.parse({}),
    signal: AbortSignal.timeout(4_000),
    fetch,
    now,
  };
}

function aPictureOf(text: string): OutgoingPart {
  const picture = { id: "one", contentType: "image/gif", altText: "A pixel", width: 1, height: 1 };
  const media = [{ ...picture, byteLength: GIF.length, read: async () => new Uint8Array(GIF) }];
  return { text, media, link: null, thread: null, idempotencyKey: "0".repeat(64) };
}

test("publishes with the key of its Postwell", async () => {
  const call = await aCall(HOST_KEY);
  const { credentials } = await connector.connect(call);
  const part = aPictureOf("Know your numbers");

  const prepared = await connector.prepare(part, null, { ...call, credentials });
  await connector.commit(part, prepared, { ...call, credentials });

  expect(simulator.posts()).toMatchObject([{ text: "Know your numbers", altTexts: ["A pixel"] }]);
});

test.each([["no key"], ["the key of another Postwell"]])("lacks a right with %s", async (key) => {
  const call = await aCall(key === "no key" ? undefined : key);

  await expect(connector.connect(call)).rejects.toMatchObject({
    kind: "permission",
    platformCode: "host_key_wrong",
    platformMessage: expect.stringContaining("POSTWELL_SECRET_KEY"),
  });
});

test("uploads a picture again that the network has forgotten, and only then", async () => {
  const call = await aCall(HOST_KEY);
  const { credentials } = await connector.connect(call);
  const signedIn = { ...call, credentials };
  const part = aPictureOf("Late");
  const first = await connector.prepare(part, null, signedIn);
  const soon = await connector.prepare(part, first, signedIn);
  time += DAY_MS + 1;
  // Whatever comes next makes the network forget.
  await connector.prepare(aPictureOf("Another"), null, signedIn);

  const late = await connector.prepare(part, soon, signedIn);
  await connector.commit(part, late, signedIn);

  expect(soon).toEqual(first);
  expect(late.id).toBe(first.id);
  expect(late.pictures).not.toEqual(first.pictures);
  expect(simulator.posts()).toHaveLength(1);
});
