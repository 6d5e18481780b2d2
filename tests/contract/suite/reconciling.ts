import { describe, expect, test } from "@jest/globals";
import type { Connector } from "../../../shared/connectors/connector.ts";
import { aPart, aPicture, TRICKY_TEXT } from "./parts.ts";
import { failureOf, inWorld, MINUTE_MS, prepare, publish } from "./world.ts";

/** More than any connector's look at its own posts needs. */
const EVERY_LOOK = 50;

/** Older than any difference between two clocks, and younger than any access token's end. */
const HALF_HOUR_MS = 30 * MINUTE_MS;

export function describeReconciling(connector: Connector): void {
  const { idempotency, media, threadMax } = connector.capabilities;
  const settledMs = MINUTE_MS + idempotency.visibilityLagMs;

  describe("reconciling a commit whose answer was lost", () => {
    test("finds the part among others, with the same id at every look", () =>
      inWorld(connector, async (world) => {
        await publish(world, aPart({ text: "Before" }));
        const part = aPart({ text: TRICKY_TEXT });
        const prepared = await prepare(world, part);
        const attempt = { prepared, armedAt: world.now() };
        const published = await connector.commit(part, prepared, world.call);
        await publish(world, aPart({ text: "After" }));
        world.pass(settledMs);

        const first = await connector.reconcile(part, attempt, world.call);
        const second = await connector.reconcile(part, attempt, world.call);

        expect(first).toEqual(published);
        expect(second).toEqual(published);
        expect(world.simulator.posts()).toHaveLength(3);
      }));

    test("does not take an older post of the same words for it", () =>
      inWorld(connector, async (world) => {
        await publish(world, aPart());
        world.pass(HALF_HOUR_MS);
        const part = aPart();
        const prepared = await prepare(world, part);

        const attempt = { prepared, armedAt: world.now() };
        const found = await connector.reconcile(part, attempt, world.call);

        expect(found).toBeNull();
      }));

    test("does not take a post of other words for it", () =>
      inWorld(connector, async (world) => {
        const part = aPart({ text: "Take a walk today" });
        const prepared = await prepare(world, part);
        const attempt = { prepared, armedAt: world.now() };
        await publish(world, aPart({ text: "Take a walk today, or tomorrow" }));
        world.pass(settledMs);

        expect(await connector.reconcile(part, attempt, world.call)).toBeNull();
      }));

    test("does not take another account's post of the same words for it", () =>
      inWorld(connector, async (world) => {
        const part = aPart();
        const prepared = await prepare(world, part);
        const attempt = { prepared, armedAt: world.now() };
        const theirs = connector.credentials.parse(world.simulator.account("clinic"));
        const { credentials } = await connector.connect({ ...world.call, credentials: theirs });
        await publish(world, aPart(), { ...world.call, credentials });
        world.pass(settledMs);

        expect(await connector.reconcile(part, attempt, world.call)).toBeNull();
      }));

    if (media.maxCount > 0) {
      test("does not take the same words without the picture for it", () =>
        inWorld(connector, async (world) => {
          const part = aPart({ media: [aPicture(1, "One")] });
          const prepared = await prepare(world, part);
          const attempt = { prepared, armedAt: world.now() };
          await publish(world, aPart());
          world.pass(settledMs);

          expect(await connector.reconcile(part, attempt, world.call)).toBeNull();
        }));

      test("finds a part with pictures", () =>
        inWorld(connector, async (world) => {
          const part = aPart({ media: [aPicture(1, "One"), aPicture(2, "Two")] });
          const prepared = await prepare(world, part);
          const attempt = { prepared, armedAt: world.now() };
          const published = await connector.commit(part, prepared, world.call);
          world.pass(settledMs);

          expect(await connector.reconcile(part, attempt, world.call)).toEqual(published);
        }));
    }

    if (threadMax > 1) {
      test("does not take the same words in another place of a thread for it", () =>
        inWorld(connector, async (world) => {
          const root = await publish(world, aPart({ text: "Root" }));
          const alone = aPart();
          const prepared = await prepare(world, alone);
          const attempt = { prepared, armedAt: world.now() };
          await publish(world, aPart({ thread: { root, parent: root } }));
          world.pass(settledMs);

          expect(await connector.reconcile(alone, attempt, world.call)).toBeNull();
        }));

      test("finds the middle of a thread, so that it can go on from there", () =>
        inWorld(connector, async (world) => {
          const root = await publish(world, aPart({ text: "Root" }));
          const middle = aPart({ text: TRICKY_TEXT, thread: { root, parent: root } });
          const prepared = await prepare(world, middle);
          const attempt = { prepared, armedAt: world.now() };
          world.simulator.fault("commit_reset_after_success", 1);
          await failureOf(world, connector.commit(middle, prepared, world.call));
          world.pass(settledMs);

          const parent = await connector.reconcile(middle, attempt, world.call);
          if (!parent) throw new Error("the middle part was not found");
          await publish(world, aPart({ text: "End", thread: { root, parent } }));

          const [first, second, third] = world.simulator.posts();
          expect([second?.parent, third?.parent]).toEqual([first?.remoteId, second?.remoteId]);
        }));
    }

    test("is unavailable while own posts cannot be read", () =>
      inWorld(connector, async (world) => {
        const part = aPart();
        const prepared = await prepare(world, part);
        const attempt = { prepared, armedAt: world.now() };
        world.simulator.fault("read_unavailable", EVERY_LOOK);

        const { kind } = await failureOf(world, connector.reconcile(part, attempt, world.call));

        expect(kind).toBe("unavailable");
      }));

    test("may miss the newest post only where that is announced, and finds it later", () =>
      inWorld(connector, async (world) => {
        const part = aPart();
        const prepared = await prepare(world, part);
        const attempt = { prepared, armedAt: world.now() };
        const { remoteId } = await connector.commit(part, prepared, world.call);
        world.simulator.fault("read_lags", EVERY_LOOK);

        const early = await connector.reconcile(part, attempt, world.call);
        world.simulator.fault("read_lags", 0);
        world.pass(settledMs);
        const late = await connector.reconcile(part, attempt, world.call);

        // Where a repeat makes no second post, a look that comes too early does no harm.
        const isHarmless = idempotency.class === "A" || idempotency.visibilityLagMs > 0;
        expect(early !== null || isHarmless).toBe(true);
        expect(late?.remoteId).toBe(remoteId);
      }));
  });
}
