import { describe, expect, test } from "@jest/globals";
import type { Connector } from "../../../shared/connectors/connector.ts";
import { aPart, aPicture, TRICKY_TEXT } from "./parts.ts";
import { failureOf, inWorld, prepare, publish, publishThread } from "./world.ts";

const FAMILY = "👨‍👩‍👧‍👦";

export function describePublishing(connector: Connector): void {
  const { capabilities } = connector;
  const { class: idempotency } = capabilities.idempotency;

  describe("measuring", () => {
    test("counts plain letters one by one", () => {
      expect(connector.measure("", capabilities)).toBe(0);
      expect(connector.measure("heart", capabilities)).toBe(5);
    });

    test("counts a link as the capabilities say", () => {
      const link = `https://www.heart.org/${"a".repeat(60)}`;

      expect(connector.measure(link, capabilities)).toBe(
        capabilities.text.linkLength ?? link.length,
      );
    });

    test.each(["a", FAMILY, "é", "心"])(
      "agrees with the platform on the longest text of %s",
      (sign) =>
        inWorld(connector, async (world) => {
          const { capabilities } = world.connection;
          const { max, maxBytes } = capabilities.text;
          const bySize = Math.floor((maxBytes ?? Infinity) / Buffer.byteLength(sign));
          const byCount = Math.floor(max / connector.measure(sign, capabilities));
          const text = sign.repeat(Math.min(byCount, bySize));

          await publish(world, aPart({ text }));

          expect(connector.measure(text, capabilities)).toBeLessThanOrEqual(max);
          expect(world.simulator.posts()).toMatchObject([{ text }]);
        }),
    );

    test("agrees with the platform on what is too long", () =>
      inWorld(connector, async (world) => {
        const { capabilities } = world.connection;
        const part = aPart({ text: "a".repeat(capabilities.text.max + 1) });

        const { kind } = await failureOf(world, publish(world, part));

        expect(connector.measure(part.text, capabilities)).toBe(capabilities.text.max + 1);
        expect(kind).toBe("content_rejected");
        expect(world.simulator.posts()).toEqual([]);
      }));
  });

  describe("publishing", () => {
    test.each([
      ["a plain text", aPart()],
      ["a text that platforms rewrite", aPart({ text: TRICKY_TEXT })],
      ["a text with a card", aPart({ link: "https://www.cdc.gov/heart-disease/" })],
    ])("makes %s public once, as it was written", (_, part) =>
      inWorld(connector, async (world) => {
        const published = await publish(world, part);

        const { remoteId } = published;
        expect(world.simulator.posts()).toMatchObject([
          { remoteId, text: part.text, altTexts: [], parent: null, removed: false },
        ]);
        expect(published.permalink === null || URL.canParse(published.permalink)).toBe(true);
        expect(JSON.parse(JSON.stringify(published.reference))).toEqual(published.reference);
      }),
    );

    if (capabilities.media.maxCount > 0) describePictures(connector);
    if (capabilities.threadMax > 1) describeThreads(connector);

    test("finds everything in what an earlier preparation left", () =>
      inWorld(connector, async (world) => {
        const media = capabilities.media.maxCount > 0 ? [aPicture(7, "A heart")] : [];
        const part = aPart({ media });
        const first = await prepare(world, part);

        const again = await connector.prepare(part, first, world.call);
        await connector.commit(part, again, world.call);

        expect(again).toEqual(first);
        expect(world.simulator.posts()).toHaveLength(1);
      }));
  });

  describe("committing the same preparation twice", () => {
    const isSafe = idempotency === "A" || idempotency === "B";
    if (isSafe) {
      test("makes one post and tells the same id", () =>
        inWorld(connector, async (world) => {
          const part = aPart({ text: TRICKY_TEXT });
          const prepared = await prepare(world, part);

          const first = await connector.commit(part, prepared, world.call);
          const second = await connector.commit(part, prepared, world.call);

          expect(second.remoteId).toBe(first.remoteId);
          expect(world.simulator.posts()).toHaveLength(1);
        }));

      test("makes a second post of the same words when they are meant anew", () =>
        inWorld(connector, async (world) => {
          const first = await publish(world, aPart());
          const second = await publish(world, aPart());

          expect(second.remoteId).not.toBe(first.remoteId);
          expect(world.simulator.posts()).toHaveLength(2);
        }));
    }

    if (idempotency === "A") {
      test("makes one post even at the same moment", () =>
        inWorld(connector, async (world) => {
          const part = aPart();
          const prepared = await prepare(world, part);

          await Promise.all([1, 2, 3].map(() => connector.commit(part, prepared, world.call)));

          expect(world.simulator.posts()).toHaveLength(1);
        }));
    }

    if (idempotency === "D") {
      test("is refused as a duplicate", () =>
        inWorld(connector, async (world) => {
          const part = aPart();
          const prepared = await prepare(world, part);
          await connector.commit(part, prepared, world.call);

          const again = connector.commit(part, prepared, world.call);

          expect((await failureOf(world, again)).kind).toBe("duplicate");
          expect(world.simulator.posts()).toHaveLength(1);
        }));
    }

    test("is called safe for a while only where it is", () => {
      expect(capabilities.idempotency.repeatableForMs > 0).toBe(isSafe);
    });
  });

  if (!connector.remove) return;
  const remove = connector.remove.bind(connector);

  describe("removing", () => {
    test("takes the post away, and is content when it is gone", () =>
      inWorld(connector, async (world) => {
        const { remoteId } = await publish(world, aPart());
        const kept = await publish(world, aPart({ text: "Another one" }));

        await remove(remoteId, world.call);
        await remove(remoteId, world.call);

        const posts = world.simulator.posts();
        expect(posts.find((post) => post.remoteId === remoteId)?.removed).toBe(true);
        expect(posts.find((post) => post.remoteId === kept.remoteId)?.removed).toBe(false);
      }));
  });
}

function describePictures(connector: Connector): void {
  const count = Math.min(4, connector.capabilities.media.maxCount);

  test("shows pictures in their order, each with its alt text", () =>
    inWorld(connector, async (world) => {
      const altTexts = ["A cuff", 'A "normal" reading', "Ünïcode & <tags>", "Four"].slice(0, count);
      const media = altTexts.map((altText, index) => aPicture(index * 40, altText));

      await publish(world, aPart({ media }));

      expect(world.simulator.posts()).toMatchObject([{ altTexts }]);
    }));

  test("takes a picture without any text", () =>
    inWorld(connector, async (world) => {
      await publish(world, aPart({ text: "", media: [aPicture(90, "A heart")] }));

      expect(world.simulator.posts()).toMatchObject([{ text: "", altTexts: ["A heart"] }]);
    }));

  test("takes a picture whose author gave no alt text", () =>
    inWorld(connector, async (world) => {
      await publish(world, aPart({ media: [aPicture(90, "")] }));

      expect(world.simulator.posts()).toMatchObject([{ altTexts: [""] }]);
    }));
}

function describeThreads(connector: Connector): void {
  test("joins the parts of a thread, each to the one before it", () =>
    inWorld(connector, async (world) => {
      const texts = ["One: look", "Two: ask", "Three: act"];

      const parts = await publishThread(
        world,
        texts.map((text) => aPart({ text })),
      );

      const [one, two, three] = parts.map(({ remoteId }) => remoteId);
      expect(world.simulator.posts()).toMatchObject([
        { remoteId: one, text: texts[0], parent: null },
        { remoteId: two, text: texts[1], parent: one },
        { remoteId: three, text: texts[2], parent: two },
      ]);
    }));

  const remove = connector.remove?.bind(connector);
  if (!remove) return;

  test("either answers a part that was removed or says that it is gone", () =>
    inWorld(connector, async (world) => {
      const root = await publish(world, aPart());
      await remove(root.remoteId, world.call);
      const part = aPart({ text: "Two", thread: { root, parent: root } });

      const outcome = await publish(world, part).catch((error: unknown) => error);

      const isRefused = world.simulator.posts().length === 1;
      expect(outcome).toMatchObject(
        isRefused ? { kind: "gone" } : { remoteId: expect.any(String) },
      );
    }));
}
