import { describe, expect, test } from "@jest/globals";
import { METRICS, type Connector, type Metric } from "../../../shared/connectors/connector.ts";
import { aPart } from "./parts.ts";
import { failureOf, inWorld, publish, type World } from "./world.ts";

/** Enough to fill a batch of the smaller platforms without tiring the larger ones. */
const MOST_POSTS = 30;

export function describeEngagement(connector: Connector): void {
  if (!connector.readEngagement) return;
  const read = connector.readEngagement.bind(connector);
  const reported = METRICS.filter((name) =>
    connector.capabilities.engagement.metrics.includes(name),
  );

  describe("engagement", () => {
    test("comes with every metric that the platform reports, and 0 is a number", () =>
      inWorld(connector, async (world) => {
        const { remoteId } = await publish(world, aPart());
        const counts = countsFrom(reported, 0);
        world.simulator.engage(remoteId, counts);

        const engagement = await read([remoteId], world.call);

        expect(Object.fromEntries(engagement)).toEqual({ [remoteId]: counts });
      }));

    test("comes for a whole batch at once, each post with its own counts", () =>
      inWorld(connector, async (world) => {
        const size = Math.min(connector.capabilities.engagement.batch, MOST_POSTS);
        const expected: Record<string, Partial<Record<Metric, number>>> = {};
        for (let index = 0; index < size; index += 1) {
          const { remoteId } = await publish(world, aPart({ text: `Post ${index}` }));
          expected[remoteId] = countsFrom(reported, index);
          world.simulator.engage(remoteId, expected[remoteId]);
        }

        const engagement = await read(Object.keys(expected), world.call);

        expect(Object.fromEntries(engagement)).toEqual(expected);
      }));

    test("leaves a metric out that the platform left out", () =>
      inWorld(connector, async (world) => {
        const { remoteId } = await publish(world, aPart());
        const counts = countsFrom(reported, 5);
        world.simulator.engage(remoteId, counts);
        world.simulator.fault("metrics_partial", 1);

        const partial = (await read([remoteId], world.call)).get(remoteId) ?? {};

        expect(Object.keys(partial).length).toBeLessThan(reported.length);
        expect(counts).toMatchObject(partial);
      }));

    const remove = connector.remove?.bind(connector);
    if (remove) {
      test("leaves out a post that was removed", () =>
        inWorld(connector, async (world) => {
          const kept = await publishCounted(world, "Kept", reported);
          const gone = await publishCounted(world, "Gone", reported);
          await remove(gone, world.call);

          const engagement = await read([gone, kept], world.call);

          expect([...engagement.keys()]).toEqual([kept]);
        }));
    }

    test("is unavailable when the signal ends", () =>
      inWorld(connector, async (world) => {
        const { remoteId } = await publish(world, aPart());
        const call = { ...world.call, signal: AbortSignal.abort() };

        expect((await failureOf(world, read([remoteId], call))).kind).toBe("unavailable");
      }));
  });
}

async function publishCounted(world: World, text: string, reported: readonly Metric[]) {
  const { remoteId } = await publish(world, aPart({ text }));
  world.simulator.engage(remoteId, countsFrom(reported, 2));
  return remoteId;
}

/** Another number for every metric, so that no two can be mistaken for each other. */
function countsFrom(names: readonly Metric[], first: number): Partial<Record<Metric, number>> {
  return Object.fromEntries(names.map((name, index) => [name, first + index]));
}
