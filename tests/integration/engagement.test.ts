import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { DeliveryEngagementView, EngagementView } from "../../shared/contract/engagement.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { aChannel, aDelivery, aSnapshot } from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

let setup: TestContext;
let api: TestApi;
let author: ApiClient;
let sandbox: { id: string; platform: string };
let mastodon: { id: string; platform: string };

beforeAll(async () => {
  setup = await createTestContext();
  api = await startApi(setup.context);
});

beforeEach(async () => {
  author = await api.signIn({ scope: "author" });
  sandbox = await aChannel(setup.context, author.actor);
  mastodon = await aChannel(setup.context, author.actor, { platform: "mastodon" });
});

afterAll(async () => {
  await api.close();
  await setup.close();
});

const day = (date: string) => new Date(`2027-02-${date}T15:00:00Z`);

function published(
  channel: { id: string; platform: string },
  date: string,
  content: { campaign?: string; labels?: string[] } = {},
) {
  return aDelivery(setup.context, author.actor, channel, {
    state: "published",
    publishedAt: day(date),
    content,
  });
}

async function summed(query: string): Promise<EngagementView["groups"]> {
  const answer = await author.get<EngagementView>(`/engagement?${query}`);
  expect(answer.status).toBe(200);
  return answer.body.groups;
}

describe("the engagement of one delivery", () => {
  test("is every reading, oldest first, and only with the metrics that were reported", async () => {
    const { id } = await published(sandbox, "01");
    await aSnapshot(setup.context, id, day("03"), { likes: 5, replies: 0 });
    await aSnapshot(setup.context, id, day("02"), { likes: 3 });

    const { body } = await author.get<DeliveryEngagementView>(`/deliveries/${id}/engagement`);

    expect(body).toEqual({
      error: null,
      snapshots: [
        { takenAt: day("02").toISOString(), metrics: { likes: 3 } },
        { takenAt: day("03").toISOString(), metrics: { likes: 5, replies: 0 } },
      ],
    });
  });

  test("is empty before the first reading", async () => {
    const { id } = await published(sandbox, "01");

    const answer = await author.get(`/deliveries/${id}/engagement`);

    expect(answer).toMatchObject({ status: 200, body: { snapshots: [] } });
  });
});

describe("summed engagement", () => {
  test("takes the newest reading of each delivery, and leaves out what nobody reported", async () => {
    const first = await published(sandbox, "01");
    const second = await published(sandbox, "02");
    await published(sandbox, "03");
    const away = await published(mastodon, "03");
    await aSnapshot(setup.context, first.id, day("02"), { likes: 100, impressions: 9 });
    await aSnapshot(setup.context, first.id, day("03"), { likes: 2, replies: 0 });
    await aSnapshot(setup.context, second.id, day("03"), { likes: 3, reposts: 1 });
    await aSnapshot(setup.context, away.id, day("04"), { likes: 0 });

    expect(await summed("groupBy=platform")).toEqual([
      { key: "mastodon", deliveries: 1, measured: 1, metrics: { likes: 0 } },
      { key: "sandbox", deliveries: 3, measured: 2, metrics: { likes: 5, replies: 0, reposts: 1 } },
    ]);
    const byChannel = await summed("");
    expect(new Set(byChannel.map(({ key }) => key))).toEqual(new Set([sandbox.id, mastodon.id]));
  });

  test("by campaign, label and post", async () => {
    const first = await published(sandbox, "01", { campaign: "Sleep", labels: ["a", "b"] });
    const second = await published(sandbox, "02", { labels: ["b"] });
    const third = await published(sandbox, "03", { campaign: "Sleep" });
    for (const [index, { id }] of [first, second, third].entries()) {
      await aSnapshot(setup.context, id, day("04"), { likes: 10 ** index });
    }

    const likes = async (groupBy: string) =>
      (await summed(`groupBy=${groupBy}`)).map(({ key, metrics }) => [key, metrics["likes"]]);
    expect(await likes("campaign")).toEqual([
      ["Sleep", 101],
      [null, 10],
    ]);
    expect(await likes("label")).toEqual([
      ["a", 1],
      ["b", 11],
      [null, 100],
    ]);
    // Ids are made in the order of time, and so are the groups.
    expect(await likes("post")).toEqual([
      [first.postId, 1],
      [second.postId, 10],
      [third.postId, 100],
    ]);
  });

  test("within a span of publication, in the own workspace only", async () => {
    const { id } = await published(sandbox, "10");
    await published(sandbox, "11");
    await aSnapshot(setup.context, id, day("12"), { likes: 4 });
    const other = await api.signIn();

    const span = "from=2027-02-10T00:00:00Z&to=2027-02-11T00:00:00Z";
    expect(await summed(span)).toEqual([
      { key: sandbox.id, deliveries: 1, measured: 1, metrics: { likes: 4 } },
    ]);
    expect(await other.get("/engagement")).toMatchObject({ body: { groups: [] } });
  });

  test("cannot be grouped by anything else", async () => {
    const answer = await author.get("/engagement?groupBy=mood");

    expect(answer).toMatchObject({ status: 400, body: { code: "request.invalid" } });
    expect(answer.body.errors[0]?.path).toBe("groupBy");
  });
});
