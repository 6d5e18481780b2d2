import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import type { TestContext } from "../support/context.ts";
import { contextWith } from "../support/publishing.ts";

describe("a hold is refused", () => {
  let stack: TestContext;
  let api: TestApi;
  let client: ApiClient;

  beforeAll(async () => {
    stack = await contextWith({}, { POSTWELL_QUEUE: "direct" });
    api = await startApi(stack.context);
    client = await api.signIn();
  });
  afterAll(async () => {
    await api.close();
    await stack.close();
  });

  test.each([
    ["without a scope", { reason: "No scope." }, "request.invalid"],
    [
      "with an empty list of channels",
      { scope: { kind: "channels", channelIds: [] }, reason: "None." },
      "request.invalid",
    ],
    [
      "for a channel that is not there",
      {
        scope: { kind: "channels", channelIds: ["0199b0c0-0000-7000-8000-000000000000"] },
        reason: "Who?",
      },
      "post.unknown_channel",
    ],
    ["without a reason", { scope: { kind: "workspace" }, reason: " " }, "request.invalid"],
    [
      "when it would have ended",
      { scope: { kind: "workspace" }, reason: "Late.", endsAt: "2020-01-01T00:00:00Z" },
      "hold.ends_in_past",
    ],
  ])("%s", async (_why, body, code) => {
    expect(await client.post("/holds", body)).toMatchObject({ status: 400, body: { code } });
  });

  test("when it is ended twice, and by an author", async () => {
    const { body: hold } = await client.post("/holds", {
      scope: { kind: "workspace" },
      reason: "Once.",
    });
    const author = await api.signIn({ scope: "author", workspaceId: client.actor.workspaceId });

    expect(await author.post(`/holds/${hold.id}/end`)).toMatchObject({ status: 403 });
    expect(await client.post(`/holds/${hold.id}/end`)).toMatchObject({ status: 200 });
    expect(await client.post(`/holds/${hold.id}/end`)).toMatchObject({
      status: 409,
      body: { code: "hold.ended" },
    });
  });
});
