import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { connector } from "../../shared/connectors/bluesky/index.ts";
import { MINUTE_MS, aPart, aStage, anImage, publish, type Stage } from "../support/bluesky.ts";

let stage: Stage;

beforeEach(async () => {
  stage = await aStage();
});

afterEach(() => stage.simulator.close());

test("may send the same write many times at once and publishes one post", async () => {
  const call = await stage.aChannel();
  const part = aPart({ text: "Once" });
  const prepared = await connector.prepare(part, null, call);

  const answers = await Promise.all(
    Array.from({ length: 6 }, () => connector.commit(part, prepared, call)),
  );

  expect(new Set(answers.map(({ reference }) => reference?.["cid"])).size).toBe(1);
  expect(stage.simulator.posts()).toHaveLength(1);
});

test("keeps key and time of creation when it prepares the same part again", async () => {
  const call = await stage.aChannel();
  const part = aPart({ text: "Once", media: [anImage({})] });
  const first = await connector.prepare(part, null, call);
  stage.pass(26 * 60 * MINUTE_MS);
  const { credentials } = await connector.connect(call);

  const stored = connector.prepared.parse(JSON.parse(JSON.stringify(first)));
  const again = await connector.prepare(part, stored, { ...call, credentials });

  // A day later the upload is gone, so that this would be refused had it not been uploaded again.
  await connector.commit(part, again, { ...call, credentials });
  expect({ ...again, uploadedAt: null }).toEqual({ ...first, uploadedAt: null });
});

test("does not overwrite what has come to be under its key", async () => {
  const call = await stage.aChannel();
  const part = aPart({ text: "As approved" });
  const prepared = await connector.prepare(part, null, call);
  await connector.commit(part, prepared, call);
  const later = { ...prepared.record, createdAt: "2027-02-05T16:00:00.000Z" };

  await expect(connector.commit(part, { ...prepared, record: later }, call)).rejects.toMatchObject({
    kind: "duplicate",
    platformCode: "InvalidSwap",
  });

  expect(stage.simulator.posts()).toHaveLength(1);
});

test("sees why it does not create records: a second creation fails for ever", async () => {
  const call = await stage.aChannel();
  const { session } = call.credentials;
  const { rkey, record } = await connector.prepare(aPart({ text: "Once" }), null, call);
  const create = () =>
    fetch(`${stage.simulator.url}/xrpc/com.atproto.repo.createRecord`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${session?.accessJwt}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        repo: session?.did,
        collection: "app.bsky.feed.post",
        rkey,
        record,
      }),
    });

  const statuses = [(await create()).status, (await create()).status, (await create()).status];

  expect(statuses).toEqual([200, 500, 500]);
});

test.each([
  "commit_unavailable_after_success",
  "commit_reset_after_success",
  "commit_html_after_success",
] as const)("finds the post again after %s, and sending it again adds none", async (fault) => {
  const call = await stage.aChannel();
  const part = aPart({ text: "Lost answer", media: [anImage({})] });
  const prepared = await connector.prepare(part, null, call);
  stage.simulator.fault(fault, 1);
  await expect(connector.commit(part, prepared, call)).rejects.toMatchObject({
    kind: "unknown_outcome",
  });

  const found = await connector.reconcile(part, { armedAt: stage.now(), prepared }, call);
  const again = await connector.commit(part, prepared, call);

  expect(found).toEqual(again);
  expect(stage.simulator.posts()).toHaveLength(1);
});

test("ends with the signal when the answer never comes, and finds the post", async () => {
  const call = await stage.aChannel();
  const part = aPart({ text: "Hang" });
  const prepared = await connector.prepare(part, null, call);
  stage.simulator.fault("commit_hang_after_success", 1);

  await expect(
    connector.commit(part, prepared, { ...call, signal: AbortSignal.timeout(100) }),
  ).rejects.toMatchObject({ kind: "unknown_outcome" });

  const found = await connector.reconcile(part, { armedAt: stage.now(), prepared }, call);
  expect(found?.remoteId).toBe(stage.simulator.posts()[0]?.remoteId);
});

test("sends nothing when its time is up before it starts", async () => {
  const call = await stage.aChannel();
  const part = aPart({ text: "Too late" });
  const prepared = await connector.prepare(part, null, call);

  await expect(
    connector.commit(part, prepared, { ...call, signal: AbortSignal.abort() }),
  ).rejects.toMatchObject({ kind: "unavailable" });

  expect(stage.simulator.posts()).toHaveLength(0);
});

test.each(["commit_unavailable", "commit_reset_before"] as const)(
  "does not know after %s, and learns that nothing was published",
  async (fault) => {
    const call = await stage.aChannel();
    const part = aPart({ text: "Nothing happened" });
    const prepared = await connector.prepare(part, null, call);
    stage.simulator.fault(fault, 1);

    await expect(connector.commit(part, prepared, call)).rejects.toMatchObject({
      kind: "unknown_outcome",
    });

    expect(await connector.reconcile(part, { armedAt: stage.now(), prepared }, call)).toBeNull();
  },
);

test("is sure that nothing was sent where nobody listens", async () => {
  const call = await stage.aChannel();
  const part = aPart({ text: "Nobody there" });
  const prepared = await connector.prepare(part, null, call);
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const nobody = () => Promise.reject(new TypeError("fetch failed", { cause: refused }));

  await expect(connector.commit(part, prepared, { ...call, fetch: nobody })).rejects.toMatchObject({
    kind: "unavailable",
    platformCode: "ECONNREFUSED",
  });
});

test("waits as the platform's headers say", async () => {
  const call = await stage.aChannel();
  stage.simulator.fault("commit_rate_limited", 1);

  await expect(publish(aPart({ text: "Wait" }), call)).rejects.toMatchObject({
    kind: "rate_limited",
    until: new Date("2027-02-05T15:05:00Z"),
  });
});

test("does not take another text, media count or parent for its own post", async () => {
  const call = await stage.aChannel();
  const part = aPart({ text: "As sent" });
  const prepared = await connector.prepare(part, null, call);
  const published = await connector.commit(part, prepared, call);
  const attempt = { armedAt: stage.now(), prepared };

  const others = [
    { ...part, text: "Edited elsewhere" },
    { ...part, media: [anImage({})] },
    { ...part, thread: { root: published, parent: published } },
  ];

  for (const other of others) {
    expect(await connector.reconcile(other, attempt, call)).toBeNull();
  }
});

test("cannot say what became of a post while the platform cannot be read", async () => {
  const call = await stage.aChannel();
  const part = aPart({ text: "Unreadable" });
  const prepared = await connector.prepare(part, null, call);
  await connector.commit(part, prepared, call);
  stage.simulator.fault("read_unavailable", 1);

  await expect(
    connector.reconcile(part, { armedAt: stage.now(), prepared }, call),
  ).rejects.toMatchObject({
    kind: "unavailable",
  });
});

test("finds its post at once although the AppView lags", async () => {
  const call = await stage.aChannel();
  const part = aPart({ text: "Fresh" });
  const prepared = await connector.prepare(part, null, call);
  const { remoteId } = await connector.commit(part, prepared, call);
  stage.simulator.fault("read_lags", 1);

  const found = await connector.reconcile(part, { armedAt: stage.now(), prepared }, call);

  expect(found?.remoteId).toBe(remoteId);
  expect((await connector.readEngagement([remoteId], call)).size).toBe(0);
});

test("holds no token and no text in an error", async () => {
  const call = await stage.aChannel();
  stage.simulator.fault("commit_content_rejected", 1);

  const error = await publish(aPart({ text: "Secret words" }), call).catch(
    (caught: unknown) => caught,
  );

  const told = JSON.stringify([error, String(error)]);
  expect(told).toContain("content_rejected");
  expect(told).not.toContain("Secret words");
  expect(told).not.toContain(call.credentials.session?.accessJwt);
});
