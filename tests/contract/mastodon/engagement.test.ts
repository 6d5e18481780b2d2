import { afterEach, describe, expect, test } from "@jest/globals";
import { connector } from "../../../shared/connectors/mastodon/index.ts";
import { aStage, addressOf, failure, publishMany } from "./stage.ts";

const { started, close } = aStage();

afterEach(close);

describe("engagement", () => {
  test("comes for many posts in one request, without those that are gone", async () => {
    const { simulator, call } = await started();
    const ids = await publishMany(20, call);
    simulator.engage(ids[0] ?? "", { likes: 3, replies: 0, reposts: 2, quotes: 1 });
    await connector.remove?.(ids[19] ?? "", call);
    const requests: string[] = [];
    const counting: typeof fetch = (input, init) => {
      requests.push(addressOf(input));
      return fetch(input, init);
    };

    const found = await connector.readEngagement?.(ids, { ...call, fetch: counting });

    expect(found?.get(ids[0] ?? "")).toEqual({ likes: 3, replies: 0, reposts: 2, quotes: 1 });
    expect(found?.size).toBe(19);
    expect(found?.has(ids[19] ?? "")).toBe(false);
    expect(requests).toHaveLength(1);
    expect(connector.capabilities.engagement.batch).toBe(20);
  });

  test.each(["json", "html"] as const)(
    "comes one by one from a server without batches (%s)",
    async (errorPages) => {
      const { simulator, call } = await started({ version: 4.2, errorPages });
      const ids = await publishMany(3, call);
      await connector.remove?.(ids[2] ?? "", call);
      simulator.engage(ids[1] ?? "", { likes: 7, quotes: 2 });

      const found = await connector.readEngagement?.(ids, call);

      expect(found?.get(ids[1] ?? "")).toEqual({ likes: 7, replies: 0, reposts: 0 });
      expect(found?.size).toBe(2);
    },
  );

  test("leaves out what the server did not report", async () => {
    const { simulator, call } = await started();
    const ids = await publishMany(1, call);
    simulator.engage(ids[0] ?? "", { likes: 3 });
    simulator.fault("metrics_partial", 1);

    const found = await connector.readEngagement?.(ids, call);

    expect(found?.get(ids[0] ?? "")).toEqual({ likes: 3 });
  });

  test("says so when the server is away, instead of reporting nothing", async () => {
    const { simulator, call } = await started();
    const ids = await publishMany(1, call);
    simulator.fault("read_unavailable", 1);

    const reading = connector.readEngagement?.(ids, call);

    expect((await failure(reading)).kind).toBe("unavailable");
  });
});
