import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  startSimulator,
  type MastodonSimulator,
} from "../../shared/connectors/mastodon/simulator.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { aDelivery } from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

let platform: MastodonSimulator;
let opened: TestContext;
let api: TestApi;
let admin: ApiClient;

beforeAll(async () => {
  platform = await startSimulator();
  opened = await createTestContext();
  api = await startApi(opened.context);
  admin = await api.signIn();
});

afterAll(async () => {
  await api.close();
  await opened.close();
  await platform.close();
});

/** What a person types in to connect an account of the simulated platform. */
function aRequest(account: string, name = account) {
  return { platform: "mastodon", name, credentials: platform.account(account) };
}

async function connect(account: string): Promise<string> {
  const { body } = await admin.post("/channels", aRequest(account));
  return body.id;
}

/** The types of what happened to one subject, oldest first. */
async function eventsOf(subjectId: string): Promise<string[]> {
  const rows = await opened.db
    .selectFrom("events")
    .select("type")
    .where("subjectId", "=", subjectId)
    .orderBy("id")
    .execute();
  return rows.map((row) => row.type);
}

describe("updating", () => {
  test("renames a channel, even to its own name in other letters", async () => {
    const id = await connect("rename");

    const answer = await admin.patch(`/channels/${id}`, { name: "RENAME" });

    expect(answer).toMatchObject({ status: 200, body: { name: "RENAME" } });
    expect(await eventsOf(id)).toEqual(["channel.connected", "channel.updated"]);
  });

  test("refuses the name of another channel", async () => {
    await connect("taken");
    const id = await connect("taker");

    const answer = await admin.patch(`/channels/${id}`, { name: "Taken" });

    expect(answer).toMatchObject({ status: 409, body: { code: "channel.name_taken" } });
  });

  test("ends the need for attention with new credentials for the same account", async () => {
    const id = await connect("renewed");
    platform.expireTokens("renewed");
    const ill = await admin.post(`/channels/${id}/check`);

    const { credentials } = aRequest("renewed");
    const healed = await admin.patch(`/channels/${id}`, { credentials });
    const checked = await admin.post(`/channels/${id}/check`);

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
    const answer = await admin.patch(`/channels/${id}`, { credentials });

    expect(answer).toMatchObject({ status: 409, body: { code: "channel.other_account" } });
  });

  test("refuses a change that changes nothing", async () => {
    const id = await connect("idle");

    const answer = await admin.patch(`/channels/${id}`, {});

    expect(answer).toMatchObject({ status: 400, body: { code: "request.invalid" } });
  });
});

describe("checking", () => {
  test("shows the platform's own error, and that it is over when it is", async () => {
    const id = await connect("checked");
    platform.expireTokens("checked");

    const answer = await admin.post(`/channels/${id}/check`);

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ state: "needs_attention" });
    expect(JSON.stringify(answer.body["attention"])).toContain("The platform says: ");
    expect(await eventsOf(id)).toEqual(["channel.connected", "channel.needs_attention"]);
  });

  test("says the same thing once only", async () => {
    const id = await connect("twice-checked");
    platform.expireTokens("twice-checked");

    await admin.post(`/channels/${id}/check`);
    await admin.post(`/channels/${id}/check`);

    expect(await eventsOf(id)).toEqual(["channel.connected", "channel.needs_attention"]);
  });

  test("blames nobody when the platform is away", async () => {
    const id = await connect("unlucky");
    const broken = await startApi({
      ...opened.context,
      fetch: () => Promise.reject(new TypeError("fetch failed")),
    });
    const { workspaceId } = admin.actor;
    const elsewhere = await broken.signIn({ workspaceId });

    const answer = await elsewhere.post(`/channels/${id}/check`);

    expect(answer).toMatchObject({ status: 503, body: { code: "channel.platform_unreachable" } });
    const { body } = await admin.get(`/channels/${id}`);
    expect(body.state).toBe("connected");
    await broken.close();
  });
});

describe("removing", () => {
  test("hides the channel, forgets its secret, and lets the account be connected again", async () => {
    const id = await connect("leaving");

    const removed = await admin.delete(`/channels/${id}`);

    expect(removed.status).toBe(204);
    expect(await admin.get(`/channels/${id}`)).toMatchObject({
      status: 404,
      body: { code: "channel.missing" },
    });
    const row = await opened.db
      .selectFrom("channels")
      .select("sealedCredentials")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    expect(row.sealedCredentials).toHaveLength(0);
    expect(await admin.post("/channels", aRequest("leaving"))).toMatchObject({ status: 201 });
  });

  test("is refused while deliveries wait for the channel", async () => {
    const id = await connect("busy");
    const channel = { id, platform: "mastodon" };
    await aDelivery(opened.context, admin.actor, channel, { state: "scheduled" });

    const answer = await admin.delete(`/channels/${id}`);

    expect(answer).toMatchObject({ status: 409, body: { code: "channel.in_use" } });
    expect(answer.body.detail).toContain("1 delivery waits");
  });
});
