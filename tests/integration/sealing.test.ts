import { expect, test } from "@jest/globals";
import { credentialsIdentity } from "../../shared/commands/channel-calls.ts";
import { createSealer } from "../../shared/sealing.ts";
import { startApi } from "../support/api-client.ts";
import { aChannel } from "../support/builders.ts";
import { apiStack } from "../support/api-stack.ts";

const stack = apiStack();

test("says that the key is gone instead of failing without a word", async () => {
  const client = await stack.api.signIn();
  const { id } = await aChannel(stack.context, client.actor);
  const sealer = createSealer(Buffer.alloc(32, 9));
  const otherKey = await startApi({ ...stack.context, sealer });
  const { workspaceId } = client.actor;
  const there = await otherKey.signIn({ workspaceId });

  const answer = await there.post(`/channels/${id}/check`);

  expect(answer).toMatchObject({ status: 503, body: { code: "secret.key_missing" } });
  expect(answer.body.detail).toContain("POSTWELL_SECRET_KEY");
  await otherKey.close();
});

test("does not open a secret that was moved to another row", async () => {
  const client = await stack.api.signIn();
  const one = await aChannel(stack.context, client.actor);
  const other = await aChannel(stack.context, client.actor);
  const stolen = stack.context.sealer.seal({ token: "t" }, credentialsIdentity(one.id));
  const moved = { sealedCredentials: stolen };
  await stack.db.updateTable("channels").set(moved).where("id", "=", other.id).execute();

  const answer = await client.post(`/channels/${other.id}/check`);

  expect(answer).toMatchObject({ status: 503, body: { code: "secret.damaged" } });
});
