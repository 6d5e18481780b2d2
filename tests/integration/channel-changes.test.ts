import { describe, expect, test } from "@jest/globals";
import { startApi } from "../support/api-client.ts";
import { apiStack } from "../support/api-stack.ts";
import { aDelivery } from "../support/builders.ts";
import { channelRequests } from "../support/channel-requests.ts";

const stack = apiStack();
const requests = channelRequests(stack);
const { aRequest, connect, eventsOf } = requests;

describe("updating", () => {
  test("renames a channel, even to its own name in other letters", async () => {
    const id = await connect("rename");

    const answer = await stack.client.patch(`/channels/${id}`, { name: "RENAME" });

    expect(answer).toMatchObject({ status: 200, body: { name: "RENAME" } });
    expect(await eventsOf(id)).toEqual(["channel.connected", "channel.updated"]);
  });

  test("refuses the name of another channel", async () => {
    await connect("taken");
    const id = await connect("taker");

    const answer = await stack.client.patch(`/channels/${id}`, { name: "Taken" });

    expect(answer).toMatchObject({ status: 409, body: { code: "channel.name_taken" } });
  });

  test("ends the need for attention with new credentials for the same account", async () => {
    const id = await connect("renewed");
    requests.platform.expireTokens("renewed");
    const ill = await stack.client.post(`/channels/${id}/check`);

    const { credentials } = aRequest("renewed");
    const healed = await stack.client.patch(`/channels/${id}`, { credentials });
    const checked = await stack.client.post(`/channels/${id}/check`);

    expect(ill.body).toMatchObject({
      state: "needs_attention",
      attention: { kind: "reauthorize" },
    });
    expect(healed).toMatchObject({ status: 200, body: { state: "connected", attention: null } });
    expect(checked.body.state).toBe("connected");
  });

  test("refuses the credentials of another account", async () => {
    const id = await connect("mine");

    const { credentials } = aRequest("theirs");
    const answer = await stack.client.patch(`/channels/${id}`, { credentials });

    expect(answer).toMatchObject({ status: 409, body: { code: "channel.other_account" } });
  });

  test("refuses a change that changes nothing", async () => {
    const id = await connect("idle");

    const answer = await stack.client.patch(`/channels/${id}`, {});

    expect(answer).toMatchObject({ status: 400, body: { code: "request.invalid" } });
  });
});

describe("checking", () => {
  test("shows the platform's own error, and that it is over when it is", async () => {
    const id = await connect("checked");
    requests.platform.expireTokens("checked");

    const answer = await stack.client.post(`/channels/${id}/check`);

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ state: "needs_attention" });
    expect(JSON.stringify(answer.body["attention"])).toContain("The platform says: ");
    expect(await eventsOf(id)).toEqual(["channel.connected", "channel.needs_attention"]);
  });

  test("says the same thing once only", async () => {
    const id = await connect("twice-checked");
    requests.platform.expireTokens("twice-checked");

    await stack.client.post(`/channels/${id}/check`);
    await stack.client.post(`/channels/${id}/check`);

    expect(await eventsOf(id)).toEqual(["channel.connected", "channel.needs_attention"]);
  });

  test("blames nobody when the platform is away", async () => {
    const id = await connect("unlucky");
    const broken = await startApi({
      ...stack.context,
      fetch: () => Promise.reject(new TypeError("fetch failed")),
    });
    const { workspaceId } = stack.client.actor;
    const elsewhere = await broken.signIn({ workspaceId });

    const answer = await elsewhere.post(`/channels/${id}/check`);

    expect(answer).toMatchObject({ status: 503, body: { code: "channel.platform_unreachable" } });
    const { body } = await stack.client.get(`/channels/${id}`);
    expect(body.state).toBe("connected");
    await broken.close();
  });
});

describe("removing", () => {
  test("hides the channel, forgets its secret, and lets the account be connected again", async () => {
    const id = await connect("leaving");

    const removed = await stack.client.delete(`/channels/${id}`);

    expect(removed.status).toBe(204);
    expect(await stack.client.get(`/channels/${id}`)).toMatchObject({
      status: 404,
      body: { code: "channel.missing" },
    });
    const row = await stack.db
      .selectFrom("channels")
      .select("sealedCredentials")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    expect(row.sealedCredentials).toHaveLength(0);
    expect(await stack.client.post("/channels", aRequest("leaving"))).toMatchObject({
      status: 201,
    });
  });

  test("is refused while deliveries wait for the channel", async () => {
    const id = await connect("busy");
    const channel = { id, platform: "mastodon" };
    await aDelivery(stack.context, stack.client.actor, channel, { state: "scheduled" });

    const answer = await stack.client.delete(`/channels/${id}`);

    expect(answer).toMatchObject({ status: 409, body: { code: "channel.in_use" } });
    expect(answer.body.detail).toContain("1 delivery waits");
  });
});
