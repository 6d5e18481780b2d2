import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { PostView } from "../../shared/contract/post.ts";
import { insertPost } from "../../shared/db/posts.ts";
import { inTransaction } from "../../shared/db/client.ts";
import { normalizePost } from "../../shared/domain/post.ts";
import { startApi, type TestApi } from "../support/api-client.ts";
import { aChannel } from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

/** What comes at the same time shares statements. Nobody may notice, except by the time that it takes. */
let setup: TestContext;
let api: TestApi;

beforeAll(async () => {
  setup = await createTestContext();
  api = await startApi(setup.context);
});

afterAll(async () => {
  await api.close();
  await setup.close();
});

test("requests that come together keep to their own workspaces, and fail alone", async () => {
  const teams = await Promise.all(
    ["Heart Center", "Sleep Clinic"].map(async (name) => {
      const author = await api.signIn({ scope: "author" });
      return { author, name, channel: await aChannel(setup.context, author.actor, { name }) };
    }),
  );
  const [ours, theirs] = teams;
  if (!ours || !theirs) throw new Error("There are two teams.");

  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) => {
      const { author, name, channel } = index % 2 === 0 ? ours : theirs;
      // Every third names the other team's channel.
      const named = index % 3 === 0 ? (index % 2 === 0 ? theirs : ours).channel : channel;
      const body = { parts: [{ text: `${name}, tip ${index}` }], channelIds: [named.id] };
      return author.post<PostView & { code?: string }>("/posts", body);
    }),
  );

  answers.forEach(({ status, body }, index) => {
    const isForeign = index % 3 === 0;
    expect([index, status, isForeign && body.code]).toEqual([
      index,
      isForeign ? 400 : 201,
      isForeign && "post.unknown_channel",
    ]);
  });
  for (const { author, name } of teams) {
    const { body } = await author.get<{ items: PostView[] }>("/posts?limit=100");
    const texts = body.items.map(({ parts }) => parts[0]?.text ?? "");
    expect(texts).toHaveLength(20);
    for (const text of texts) expect(text).toContain(name);
  }
});

test("what a transaction stores is not shared, and goes with it", async () => {
  const { actor } = await api.signIn({ scope: "author" });
  const post = {
    ...normalizePost({
      parts: [{ text: "Never seen.", mediaIds: [] }],
      channelIds: [],
      variants: {},
      link: null,
      sources: [],
      labels: [],
      campaign: null,
      latestAfterMinutes: 15,
    }),
    id: "01975f4e-0000-7000-8000-000000000001",
    externalId: null,
    state: "draft" as const,
    contentHash: "0".repeat(64),
    workspaceId: actor.workspaceId,
    createdBy: actor.tokenId,
  };
  const undone = inTransaction(setup.db, async (tx) => {
    await insertPost(tx, post);
    throw new Error("undone");
  });
  await expect(undone).rejects.toThrow("undone");

  const stored = await setup.db
    .selectFrom("posts")
    .select("id")
    .where("id", "=", post.id)
    .execute();
  expect(stored).toEqual([]);
});
