import { describe, expect, test } from "@jest/globals";
import type { Connector, PublishedPart, SentPart } from "../../../shared/connectors/connector.ts";
import { aPart, aPicture, TRICKY_TEXT } from "./parts.ts";
import { failureOf, inWorld, publish, publishThread, type World } from "./world.ts";

/** More than any connector's look needs. */
const EVERY_LOOK = 50;

const UNCHANGED = { hasSameText: true, mediaCount: 0, altTexts: [] };

/** Texts in which platforms rewrite something before they show them. */
const REWRITTEN = [
  TRICKY_TEXT,
  "Ask @heart@social.example and @clinic about it",
  "See cdc.gov/heart, https://www.heart.org/ and http://example.org/a_(b)?c=d&e=%20f.",
  "Write &amp; for &, a < b > c, and 'quotes' \"of\" both sorts",
  "One\n\n\n\nTwo  three\nFour",
  "🫀 Ärger Naïve 血圧を測る 👩🏽‍⚕️",
];

export function describeReadBack(connector: Connector): void {
  const readBack = connector.readBack?.bind(connector);
  if (!readBack) return;
  const { media, threadMax, engagement } = connector.capabilities;

  const read = async (world: World, sent: readonly SentPart[]) => [
    ...(await readBack(sent, world.call)),
  ];

  describe("reading back", () => {
    test.each(REWRITTEN)("takes what the platform rewrites for the same text: %s", (text) =>
      inWorld(connector, async (world) => {
        const sent = await publishText(world, text);

        expect(await read(world, [sent])).toEqual([[sent.remoteId, UNCHANGED]]);
      }),
    );

    test("tells another text, of one post among others", () =>
      inWorld(connector, async (world) => {
        const first = await publishText(world, "First");
        const second = await publishText(world, TRICKY_TEXT);
        world.simulator.fault("read_altered", EVERY_LOOK);

        expect(new Map(await read(world, [first, second]))).toEqual(
          new Map([
            [first.remoteId, UNCHANGED],
            [second.remoteId, { ...UNCHANGED, hasSameText: false }],
          ]),
        );
      }));

    test("leaves out a post that is not shown, and no other", () =>
      inWorld(connector, async (world) => {
        const first = await publishText(world, "First");
        const second = await publishText(world, "Second");
        world.simulator.fault("read_missing", EVERY_LOOK);

        expect(await read(world, [first, second])).toEqual([[first.remoteId, UNCHANGED]]);
      }));

    const remove = connector.remove?.bind(connector);
    if (remove) {
      test("leaves out a post that was removed", () =>
        inWorld(connector, async (world) => {
          const gone = await publishText(world, "Gone");
          const kept = await publishText(world, "Kept");
          await remove(gone.remoteId, world.call);

          expect(await read(world, [gone, kept])).toEqual([[kept.remoteId, UNCHANGED]]);
        }));
    }

    if (media.maxCount > 0) describePictures(connector, read);

    if (threadMax > 1) {
      test("shows every part of a thread", () =>
        inWorld(connector, async (world) => {
          const texts = ["One", TRICKY_TEXT, "Three"];
          const parts = await publishThread(
            world,
            texts.map((text) => aPart({ text })),
          );
          const sent = parts.map((part, index) => sentPart(part, texts[index] ?? ""));

          const shown = new Map(await read(world, sent));

          expect(sent.map(({ remoteId }) => shown.get(remoteId))).toEqual([
            UNCHANGED,
            UNCHANGED,
            UNCHANGED,
          ]);
        }));
    }

    test("takes a whole batch at once", () =>
      inWorld(connector, async (world) => {
        const sent: SentPart[] = [];
        for (let index = 0; index < Math.min(engagement.batch, 30); index += 1) {
          sent.push(await publishText(world, `Post ${index}`));
        }

        expect(await read(world, sent)).toHaveLength(sent.length);
      }));

    test("is unavailable while posts cannot be read, and when the signal ends", () =>
      inWorld(connector, async (world) => {
        const sent = await publishText(world, TRICKY_TEXT);
        world.simulator.fault("read_unavailable", 1);
        const ended = { ...world.call, signal: AbortSignal.abort() };

        const away = await failureOf(world, readBack([sent], world.call));
        const late = await failureOf(world, readBack([sent], ended));

        expect([away.kind, late.kind]).toEqual(["unavailable", "unavailable"]);
      }));
  });
}

type Read = (
  world: World,
  sent: readonly SentPart[],
) => Promise<[string, { readonly altTexts: readonly string[] | null }][]>;

function describePictures(connector: Connector, read: Read): void {
  const altTexts = ['A "cuff" & a <heart>', ""];
  const part = aPart({
    text: TRICKY_TEXT,
    media: altTexts.map((altText, index) => aPicture(index + 1, altText)),
  });
  const altTextMax = connector.capabilities.media.altTextMax;

  test("counts the pictures and shows their alt texts in order", () =>
    inWorld(connector, async (world) => {
      const sent = sentPart(await publish(world, part), part.text);

      const [[, shown] = []] = await read(world, [sent]);

      const seen = altTextMax === null ? null : altTexts;
      expect(shown).toEqual({ hasSameText: true, mediaCount: 2, altTexts: seen });
    }));

  if (altTextMax === null) return;
  test("notices alt texts that were lost", () =>
    inWorld(connector, async (world) => {
      const sent = sentPart(await publish(world, part), part.text);
      world.simulator.fault("read_without_alt", EVERY_LOOK);

      const [[, shown] = []] = await read(world, [sent]);

      expect(shown).toEqual({ hasSameText: true, mediaCount: 2, altTexts: ["", ""] });
    }));
}

async function publishText(world: World, text: string): Promise<SentPart> {
  return sentPart(await publish(world, aPart({ text })), text);
}

function sentPart({ remoteId }: PublishedPart, text: string): SentPart {
  return { remoteId, text };
}
