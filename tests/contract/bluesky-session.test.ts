import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Credentials, type BlueskyCall } from "../../shared/connectors/bluesky/credentials.ts";
import { connector } from "../../shared/connectors/bluesky/index.ts";
import {
  MINUTE_MS,
  aPart,
  aStage,
  counting,
  publish,
  routed,
  type Stage,
} from "../support/bluesky.ts";

let stage: Stage;

beforeEach(async () => {
  stage = await aStage();
});

afterEach(() => stage.simulator.close());

test("signs in once and keeps the session for everything after", async () => {
  const requests: string[] = [];
  const call = await stage.aChannel({ fetch: counting(requests) });

  await publish(aPart({ text: "One" }), call);
  await publish(aPart({ text: "Two" }), call);
  await connector.check(call);

  expect(requests.filter((url) => url.endsWith("createSession"))).toHaveLength(1);
});

test("takes a handle as people write it", async () => {
  const account = Credentials.parse(stage.simulator.account("heart"));
  const call = stage.callOf({ ...account, identifier: `@${account.identifier}` });

  const connection = await connector.connect(call);

  expect(connection.handle).toBe(`@${account.identifier}`);
  expect(connection.remoteAccountId).toMatch(/^did:plc:[a-z2-7]{24}$/);
});

test("says a wrong app password in the platform's words", async () => {
  const account = Credentials.parse(stage.simulator.account("heart"));
  const call = stage.callOf({ ...account, appPassword: "wrong" });

  await expect(connector.connect(call)).rejects.toMatchObject({
    kind: "reauthorize",
    platformCode: "AuthenticationRequired",
    platformMessage: "Invalid identifier or password",
  });
});

test("hits the platform's limit on sign-ins when it signs in each time", async () => {
  const call = stage.callOf(Credentials.parse(stage.simulator.account("heart")));
  for (let login = 0; login < 30; login += 1) await connector.connect(call);

  await expect(connector.connect(call)).rejects.toMatchObject({
    kind: "rate_limited",
    until: new Date(stage.now().getTime() + 5 * MINUTE_MS),
  });
});

test("talks to the server that the account's identity names, not to the service it signed in at", async () => {
  const requests: string[] = [];
  const { identifier, appPassword } = Credentials.parse(stage.simulator.account("heart"));
  const signIn: BlueskyCall = {
    ...stage.callOf({ identifier, appPassword }, { fetch: routed(requests, stage.simulator.url) }),
    settings: {},
  };

  const { credentials } = await connector.connect(signIn);
  const published = await publish(aPart({ text: "Hello" }), { ...signIn, credentials });
  await connector.readEngagement([published.remoteId], { ...signIn, credentials });

  expect(requests.map((url) => url.split("?")[0])).toEqual([
    "https://bsky.social/xrpc/com.atproto.server.createSession",
    `${stage.simulator.url}/xrpc/com.atproto.repo.putRecord`,
    "https://public.api.bsky.app/xrpc/app.bsky.feed.getPosts",
  ]);
});

test("stays with the service where the answer names no identity document", async () => {
  const answer = { did: "did:plc:a", handle: "a.example", accessJwt: "opaque", refreshJwt: "r" };
  const call: BlueskyCall = {
    ...stage.callOf({ service: "pds.example", identifier: "a.example", appPassword: "x" }),
    settings: {},
    fetch: () => Promise.resolve(Response.json(answer)),
  };

  const { credentials } = await connector.connect(call);

  expect(credentials.session).toMatchObject({
    pds: "https://pds.example",
    expiresAt: "2027-02-05T17:00:00.000Z",
  });
});

test("finds an account that is not active at connecting and at checking", async () => {
  const answer = {
    did: "did:plc:a",
    handle: "a.example",
    accessJwt: "opaque",
    refreshJwt: "r",
    active: false,
    status: "deactivated",
  };
  const call = { ...(await stage.aChannel()), fetch: () => Promise.resolve(Response.json(answer)) };
  const inactive = { kind: "permission", platformCode: "deactivated" };

  await expect(connector.connect(call)).rejects.toMatchObject(inactive);
  await expect(connector.check(call)).rejects.toMatchObject(inactive);
});

test("renews an ended session with the refresh token", async () => {
  const requests: string[] = [];
  const call = await stage.aChannel({ fetch: counting(requests) });
  stage.simulator.expireTokens("heart");
  await expect(connector.check(call)).rejects.toMatchObject({ kind: "reauthorize" });
  await expect(publish(aPart({ text: "Late" }), call)).rejects.toMatchObject({
    kind: "reauthorize",
    platformCode: "ExpiredToken",
  });

  const credentials = await connector.renewal.renew(call);
  await publish(aPart({ text: "Late" }), { ...call, credentials });

  expect(requests.filter((url) => url.endsWith("createSession"))).toHaveLength(1);
  expect(stage.simulator.posts()).toHaveLength(1);
});

test("signs in again where the refresh token is spent", async () => {
  const call = await stage.aChannel();
  stage.pass(91 * 24 * 60 * MINUTE_MS);

  const credentials = await connector.renewal.renew(call);

  await connector.check({ ...call, credentials });
  expect(connector.renewal.expiresAt(credentials)).toEqual(
    new Date(stage.now().getTime() + 120 * MINUTE_MS),
  );
});

test("asks for a person where the app password was taken back", async () => {
  const call = await stage.aChannel();
  stage.simulator.expireTokens("heart", { forGood: true });

  await expect(connector.renewal.renew(call)).rejects.toMatchObject({ kind: "reauthorize" });
});

test("makes a session where there is none yet", async () => {
  const call = stage.callOf(Credentials.parse(stage.simulator.account("heart")));
  await expect(connector.check(call)).rejects.toMatchObject({ kind: "reauthorize" });

  const credentials = await connector.renewal.renew(call);

  await connector.check({ ...call, credentials });
  expect(connector.renewal.expiresAt(call.credentials)).toBeNull();
});
