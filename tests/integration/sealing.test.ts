import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { credentialsIdentity } from "../../shared/commands/channel-calls.ts";
import { createSealer } from "../../shared/sealing.ts";
import { startApi, type TestApi } from "../support/api-client.ts";
import { aChannel } from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

let opened: TestContext;
let api: TestApi;

beforeAll(async () => {
  opened = await createTestContext();
  api = await startApi(opened.context);
});

afterAll(async () => {
  await api.close();
  await opened.close();
});

test("says that the key is gone instead of failing without a word", async () => {
  const client = await api.signIn();
  const { id } = await aChannel(opened.context, client.actor);
  const sealer = createSealer(Buffer.alloc(32, 9));
  const otherKey = await startApi({ ...opened.context, sealer });
  const { workspaceId } = client.actor;
  const there = await otherKey.signIn({ workspaceId });

  const answer = await there.post(`/channels/${id}/check`);

  expect(answer).toMatchObject({ status: 503, body: { code: "secret.key_missing" } });
  expect(answer.body.detail).toContain("POSTWELL_SECRET_KEY");
  await otherKey.close();
});

test("does not open a secret that was moved to another row", async () => {
  const client = await api.signIn();
  const one = await aChannel(opened.context, client.actor);
  const other = await aChannel(opened.context, client.actor);
  const stolen = opened.context.sealer.seal({ token: "t" }, credentialsIdentity(one.id));
  const moved = { sealedCredentials: stolen };
  await opened.db.updateTable("channels").set(moved).where("id", "=", other.id).execute();

  const answer = await client.post(`/channels/${other.id}/check`);

  expect(answer).toMatchObject({ status: 503, body: { code: "secret.damaged" } });
});
