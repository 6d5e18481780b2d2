import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Call, OutgoingMedia, OutgoingPart } from "../../shared/connectors/connector.ts";
import { ConnectorError } from "../../shared/connectors/error.ts";
import { Credentials, Settings } from "../../shared/connectors/x/credentials.ts";
import { connector } from "../../shared/connectors/x/index.ts";
import { startSimulator, type XSimulator } from "../../shared/connectors/x/simulator.ts";

type XCall = Call<Credentials, Settings>;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

let clock = new Date("2027-02-05T15:00:00Z");
let x: XSimulator;

beforeEach(async () => {
  clock = new Date("2027-02-05T15:00:00Z");
  x = await startSimulator({ now: () => clock });
});

afterEach(() => x.close());

function later(ms: number): void {
  clock = new Date(clock.getTime() + ms);
}

function callOf(change: Partial<XCall> = {}, account = "heart"): XCall {
  return {
    credentials: Credentials.parse(x.account(account)),
    settings: Settings.parse({ baseUrl: x.url }),
    fetch,
    now: () => clock,
    signal: AbortSignal.timeout(10_000),
    ...change,
  };
}

async function connected(account = "heart"): Promise<XCall> {
  const call = callOf({}, account);
  const { credentials } = await connector.connect(call);
  return { ...call, credentials };
}

function aPart(change: Partial<OutgoingPart> = {}): OutgoingPart {
  return {
    text: "Know your numbers: blood pressure",
    media: [],
    link: null,
    thread: null,
    idempotencyKey: "0".repeat(64),
    ...change,
  };
}

function anImage(id: string, altText = "", byteLength = 2_000): OutgoingMedia {
  const size = { byteLength, width: 10, height: 10 };
  return {
    id,
    contentType: "image/png",
    altText,
    ...size,
    read: async () => new Uint8Array(byteLength),
  };
}

async function publish(call: XCall, part: OutgoingPart) {
  return connector.commit(part, await connector.prepare(part, null, call), call);
}

async function failure(promise: Promise<unknown>): Promise<ConnectorError> {
  const error: unknown = await promise.then(
    () => new Error("It did not fail"),
    (reason: unknown) => reason,
  );
  if (error instanceof ConnectorError) return error;
  throw error;
}

describe("a channel", () => {
  test("learns whose it is and keeps that in its credentials", async () => {
    const { remoteAccountId, handle, credentials } = await connector.connect(callOf());

    expect(handle).toBe("@heart");
    expect(credentials).toMatchObject({ userId: remoteAccountId, handle: "heart" });
  });

  test("without the right to write fails its check once that is known", async () => {
    x.grant("heart", ["tweet.read", "users.read", "offline.access"]);
    const call = await connected();
    const credentials = await connector.renewal?.renew(call);

    const error = await failure(
      connector.check({ ...call, credentials: Credentials.parse(credentials) }),
    );

    expect(error).toMatchObject({ kind: "permission", platformCode: "missing_scope:tweet.write" });
  });

  test("without the right to write is told so by the platform at the latest when it posts", async () => {
    const call = await connected();
    x.grant("heart", ["tweet.read", "users.read"]);

    expect((await failure(publish(call, aPart()))).kind).toBe("permission");
  });
});

describe("renewal", () => {
  async function renew(call: XCall): Promise<Credentials> {
    if (!connector.renewal) throw new Error("There is no renewal");
    return connector.renewal.renew(call);
  }

  test("rotates the refresh token and tells when the new one ends", async () => {
    const call = await connected();

    const credentials = await renew(call);

    expect(credentials.refreshToken).not.toBe(call.credentials.refreshToken);
    expect(credentials.userId).toBe(call.credentials.userId);
    expect(connector.renewal?.expiresAt(credentials)).toEqual(
      new Date(clock.getTime() + 120 * MINUTE_MS),
    );
    await publish({ ...call, credentials }, aPart());
    expect(x.posts()).toHaveLength(1);
  });

  test("with a spent refresh token is refused once, not retried", async () => {
    const call = await connected();
    await renew(call);

    const error = await failure(renew(call));

    expect(error).toMatchObject({
      kind: "reauthorize",
      platformMessage: "Value passed for the token was invalid.",
    });
    expect(x.requests().filter((request) => request === "POST /2/oauth2/token")).toHaveLength(2);
  });

  test("keeps the old refresh token where the answer names no new one", async () => {
    const call = await connected();
    x.trap("refresh_token_kept", 1);

    const credentials = await renew(call);

    expect(credentials.refreshToken).toBe(call.credentials.refreshToken);
    expect((await renew({ ...call, credentials })).refreshToken).not.toBe(
      call.credentials.refreshToken,
    );
  });

  test("proves the app by its secret, or names it where it has none", async () => {
    x.registerApp({ clientId: "postwell", clientSecret: "s3cret" });
    const settings = Settings.parse({
      baseUrl: x.url,
      clientId: "postwell",
      clientSecret: "s3cret",
    });
    const confidential = await renew({ ...(await connected()), settings });
    x.registerApp({ clientId: "public", clientSecret: null });
    const open = await renew({
      ...(await connected()),
      settings: Settings.parse({ baseUrl: x.url, clientId: "public" }),
    });

    expect([confidential.scopes, open.scopes]).toEqual([
      expect.arrayContaining(["tweet.write"]),
      expect.arrayContaining(["tweet.write"]),
    ]);
  });

  test("by an app that the platform does not know is the operator's to mend", async () => {
    x.registerApp({ clientId: "postwell", clientSecret: "s3cret" });

    const error = await failure(renew(await connected()));

    expect(error).toMatchObject({ kind: "permission", platformCode: "unauthorized_client" });
  });

  test("that met an outage may be tried again", async () => {
    const call = await connected();
    x.trap("renewal_unavailable", 1);

    expect((await failure(renew(call))).kind).toBe("unavailable");
    expect((await renew(call)).accessToken).not.toBe(call.credentials.accessToken);
  });

  test("without a refresh token asks for a person and sends nothing", async () => {
    const call = await connected();
    const before = x.requests().length;
    const credentials = { ...call.credentials, refreshToken: null };

    expect((await failure(renew({ ...call, credentials }))).kind).toBe("reauthorize");
    expect(x.requests()).toHaveLength(before);
  });
});

describe("publishing", () => {
  test("puts out the text, with the time of its id and an address", async () => {
    const published = await publish(await connected(), aPart());

    expect(x.posts()).toMatchObject([{ remoteId: published.remoteId, text: aPart().text }]);
    expect(published.permalink).toBe(`https://x.com/heart/status/${published.remoteId}`);
    expect(published.publishedAt).toEqual(clock);
  });

  test("counts a text as the platform does, to the last character", async () => {
    const call = await connected();
    const full = `${"a".repeat(251)} https://example.org/a/long/path 🫱🏻‍🫲🏿`;

    expect(connector.measure(full, connector.capabilities)).toBe(278);
    await publish(call, aPart({ text: `${full}aa` }));
    const error = await failure(publish(call, aPart({ text: `${full}aaa` })));
    expect(error.kind).toBe("content_rejected");
  });

  test("sends a thread in order, each part answering the one before", async () => {
    const call = await connected();
    const root = await publish(call, aPart({ text: "One" }));
    const second = await publish(call, aPart({ text: "Two", thread: { root, parent: root } }));
    await publish(call, aPart({ text: "Three", thread: { root, parent: second } }));

    expect(x.posts().map(({ parent }) => parent)).toEqual([null, root.remoteId, second.remoteId]);
  });

  test("tries later when the part before is not visible yet, and gives up when it is old", async () => {
    const call = await connected();
    const root = await publish(call, aPart({ text: "One" }));
    const next = aPart({ text: "Two", thread: { root, parent: root } });
    x.trap("parent_lags", 2);

    expect((await failure(publish(call, next))).kind).toBe("unavailable");
    later(10 * MINUTE_MS);
    expect((await failure(publish(call, next))).kind).toBe("gone");
  });

  test("the same text again is a duplicate, also after the first was removed", async () => {
    const call = await connected();
    const { remoteId } = await publish(call, aPart());
    await connector.remove?.(remoteId, call);

    const error = await failure(publish(call, aPart()));

    expect(error.kind).toBe("duplicate");
    expect(error.platformMessage).toContain("duplicate content");
  });

  test.each([
    ["credits_depleted", "billing"],
    ["reply_gate", "policy_blocked"],
    ["firewall", "unavailable"],
    ["cut_off_after_success", "unknown_outcome"],
    ["garbled_after_success", "unknown_outcome"],
  ] as const)("meets %s as %s", async (trap, kind) => {
    const call = await connected();
    x.trap(trap, 1);

    expect((await failure(publish(call, aPart()))).kind).toBe(kind);
  });

  test("waits for the day's quota and not for the quarter-hour's", async () => {
    const call = await connected();
    x.trap("day_quota", 1);

    expect(await failure(publish(call, aPart()))).toMatchObject({
      kind: "quota_exhausted",
      until: new Date(clock.getTime() + DAY_MS),
    });
  });

  test("is stopped by the platform's window and told its end", async () => {
    x.enforceRateLimits();
    const call = await connected();
    for (let index = 0; index < 100; index++) await publish(call, aPart({ text: `Tip ${index}` }));

    expect(await failure(publish(call, aPart()))).toMatchObject({
      kind: "rate_limited",
      until: new Date(clock.getTime() + 15 * MINUTE_MS),
    });
    later(15 * MINUTE_MS);
    await publish(call, aPart());
    expect(x.posts()).toHaveLength(101);
  });

  test("never repeats the post's text or the token in its errors", async () => {
    const call = await connected();
    x.trap("text_quoted", 1);
    const refused = await failure(publish(call, aPart()));
    x.fault("commit_reset_after_success", 1);
    const lost = await failure(publish(call, aPart()));

    for (const error of [refused, lost]) {
      const shown = `${error.stack} ${JSON.stringify(error)} ${String(error.cause)} ${JSON.stringify(error.cause)}`;
      expect(shown).not.toContain("blood pressure");
      expect(shown).not.toContain(call.credentials.accessToken);
    }
  });

  test("sends a lost post once, whatever became of it", async () => {
    const call = await connected();
    for (const fault of [
      "commit_reset_before",
      "commit_unavailable",
      "commit_reset_after_success",
    ] as const) {
      const before = x.requests().length;
      x.fault(fault, 1);
      expect((await failure(publish(call, aPart({ text: fault })))).kind).toBe("unknown_outcome");
      expect(x.requests()).toHaveLength(before + 1);
    }
  });

  test("gives up at the signal, although the answer never comes", async () => {
    const call = await connected();
    x.fault("commit_hang_after_success", 1);

    const error = await failure(publish({ ...call, signal: AbortSignal.timeout(50) }, aPart()));

    expect(error).toMatchObject({ kind: "unknown_outcome", platformCode: "ABORT_ERR" });
    expect(x.posts()).toHaveLength(1);
  });

  test("sends nothing when its time is up before it begins", async () => {
    const call = await connected();
    const before = x.requests().length;

    const error = await failure(publish({ ...call, signal: AbortSignal.abort() }, aPart()));

    expect(error.kind).toBe("unavailable");
    expect(x.requests()).toHaveLength(before);
  });

  test("knows that nothing was sent where nobody listens", async () => {
    const settings = Settings.parse({ baseUrl: `http://127.0.0.1:${await closedPort()}` });

    const error = await failure(publish({ ...(await connected()), settings }, aPart()));

    expect(error).toMatchObject({ kind: "unavailable", platformCode: "ECONNREFUSED" });
  });

  test("knows that nothing was sent where the encrypted connection never came about", async () => {
    const settings = Settings.parse({ baseUrl: x.url.replace("http:", "https:") });

    expect((await failure(publish({ ...(await connected()), settings }, aPart()))).kind).toBe(
      "unavailable",
    );
    expect(x.posts()).toHaveLength(0);
  });

  test("shares its connections among many posts", async () => {
    const call = await connected();
    const parts = Array.from({ length: 200 }, (_, index) => aPart({ text: `Tip ${index}` }));
    for (const part of parts) await publish(call, part);

    expect(new Set(x.posts().map(({ text }) => text)).size).toBe(200);
    expect(x.connections()).toBe(1);
  });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("images", () => {
  test("go up before the post, in order, each with its own alt text", async () => {
    const call = await connected();
    const media = [
      anImage("a", "A heart"),
      anImage("b"),
      anImage("c", "A scale"),
      anImage("d", "A walk"),
    ];

    await publish(call, aPart({ media }));

    expect(x.posts()[0]?.altTexts).toEqual(["A heart", "", "A scale", "A walk"]);
    expect(x.requests().at(-1)).toBe("POST /2/tweets");
  });

  test("of several megabytes go up in segments", async () => {
    await publish(await connected(), aPart({ media: [anImage("a", "", 4_900_000)] }));

    expect(x.requests().filter((request) => request.endsWith("/append"))).toHaveLength(2);
  });

  test("may be a post without a text", async () => {
    await publish(await connected(), aPart({ text: "", media: [anImage("a", "A heart")] }));

    expect(x.posts()).toMatchObject([{ text: "", altTexts: ["A heart"] }]);
  });

  test("are waited for until the platform has processed them", async () => {
    const call = await connected();
    x.fault("upload_processing", 1);

    await publish(call, aPart({ media: [anImage("a", "A heart")] }));

    expect(x.requests().filter((request) => request === "GET /2/media/upload")).toHaveLength(3);
    expect(x.posts()).toHaveLength(1);
  });

  test("are not waited for beyond the signal", async () => {
    const call = await connected();
    x.trap("processing_stuck", 1);
    const signal = AbortSignal.timeout(100);

    const error = await failure(
      connector.prepare(aPart({ media: [anImage("a")] }), null, { ...call, signal }),
    );

    expect(error.kind).toBe("unavailable");
  });

  test("are uploaded once for all attempts, and again before they end", async () => {
    const call = await connected();
    const part = aPart({ media: [anImage("a", "A heart")] });
    const first = await connector.prepare(part, null, call);

    const before = x.requests().length;
    expect(await connector.prepare(part, first, call)).toEqual(first);
    expect(x.requests()).toHaveLength(before);

    later(DAY_MS);
    const fresh = { ...call, credentials: Credentials.parse(x.account("heart")) };
    const second = await connector.prepare(part, first, fresh);
    expect(second.media[0]?.remoteId).not.toBe(first.media[0]?.remoteId);
    expect((await failure(connector.commit(part, first, fresh))).kind).toBe("media_invalid");
    await connector.commit(part, second, fresh);
    expect(x.posts()).toHaveLength(1);
  });

  test("that are described anew are uploaded anew", async () => {
    const call = await connected();
    const first = await connector.prepare(aPart({ media: [anImage("a", "A hart")] }), null, call);
    const part = aPart({ media: [anImage("a", "A heart")] });

    await connector.commit(part, await connector.prepare(part, first, call), call);

    expect(x.posts()[0]?.altTexts).toEqual(["A heart"]);
  });

  test("that the platform finds broken are a matter of the image", async () => {
    const call = await connected();
    x.fault("upload_invalid", 1);

    expect(await failure(publish(call, aPart({ media: [anImage("a")] })))).toMatchObject({
      kind: "media_invalid",
      platformMessage: "The file is not a valid image.",
    });
  });

  test("that our own store cannot read may be tried again", async () => {
    const broken = { ...anImage("a"), read: () => Promise.reject(new Error("disk")) };

    const error = await failure(publish(await connected(), aPart({ media: [broken] })));

    expect(error).toMatchObject({ kind: "unavailable", platformCode: "media_unreadable" });
  });
});

describe("reconciling", () => {
  async function lose(call: XCall, part: OutgoingPart) {
    const prepared = await connector.prepare(part, null, call);
    const attempt = { armedAt: clock, prepared };
    x.fault("commit_reset_after_success", 1);
    await failure(connector.commit(part, prepared, call));
    return attempt;
  }

  test("finds a post behind short links, entities and the link of its image", async () => {
    const call = await connected();
    const text =
      "Salt & pressure <2 g> https://example.org/salt?a=1&b=2 or example.com\n\nCafé 日本";
    const part = aPart({ text, media: [anImage("a", "Salt"), anImage("b", "Pepper")] });

    const attempt = await lose(call, part);

    const found = await connector.reconcile(part, attempt, call);
    expect(found?.remoteId).toBe(x.posts()[0]?.remoteId);
    expect(found?.publishedAt).toEqual(x.posts()[0]?.at);
  });

  test("finds the answer among the parts of a thread by its parent", async () => {
    const call = await connected();
    const root = await publish(call, aPart({ text: "One" }));
    const part = aPart({ text: "Two", thread: { root, parent: root } });
    const attempt = await lose(call, part);

    expect((await connector.reconcile(part, attempt, call))?.remoteId).toBe(x.posts()[1]?.remoteId);
    expect(await connector.reconcile({ ...part, thread: null }, attempt, call)).toBeNull();
  });

  test("does not take another text, another number of images or an older post for it", async () => {
    const call = await connected();
    const attempt = await lose(call, aPart());

    const others = [
      aPart({ text: "Know your numbers: cholesterol" }),
      aPart({ media: [anImage("a")] }),
    ];
    for (const other of others) expect(await connector.reconcile(other, attempt, call)).toBeNull();
    const armedAt = new Date(clock.getTime() + 3 * MINUTE_MS);
    expect(await connector.reconcile(aPart(), { ...attempt, armedAt }, call)).toBeNull();
  });

  test("looks through all pages of a busy account", async () => {
    const call = await connected();
    const attempt = await lose(call, aPart());
    for (let index = 0; index < 120; index++) await publish(call, aPart({ text: `Tip ${index}` }));

    expect((await connector.reconcile(aPart(), attempt, call))?.remoteId).toBe(
      x.posts()[0]?.remoteId,
    );
  });

  test("does not find what the platform does not show yet, and finds it afterwards", async () => {
    const call = await connected();
    const attempt = await lose(call, aPart());
    x.fault("read_lags", 1);

    expect(await connector.reconcile(aPart(), attempt, call)).toBeNull();
    expect(await connector.reconcile(aPart(), attempt, call)).not.toBeNull();
  });

  test("cannot tell while the platform cannot be read", async () => {
    const call = await connected();
    const attempt = await lose(call, aPart());
    x.fault("read_unavailable", 1);

    expect((await failure(connector.reconcile(aPart(), attempt, call))).kind).toBe("unavailable");
  });

  test("works for a channel that never learned its own id", async () => {
    const call = callOf();
    const attempt = await lose(call, aPart());

    expect((await connector.reconcile(aPart(), attempt, call))?.permalink).toContain(
      "https://x.com/i/status/",
    );
  });
});

test("removing twice is no error", async () => {
  const call = await connected();
  const { remoteId } = await publish(call, aPart());

  await connector.remove?.(remoteId, call);
  await connector.remove?.(remoteId, call);

  expect(x.posts()).toMatchObject([{ removed: true }]);
});

describe("engagement", () => {
  async function read(ids: readonly string[], call: XCall) {
    if (!connector.readEngagement) throw new Error("There is no engagement");
    return connector.readEngagement(ids, call);
  }

  test("comes with clicks for a month and without them afterwards", async () => {
    const old = await publish(await connected(), aPart({ text: "Old" }));
    later(31 * DAY_MS);
    const call = await connected();
    const young = await publish(call, aPart({ text: "Young" }));
    const earned = { impressions: 900, likes: 3, replies: 1, reposts: 2, quotes: 0, bookmarks: 4 };
    const clicks = { linkClicks: 12, profileClicks: 0 };
    x.engage(old.remoteId, { ...earned, ...clicks });
    x.engage(young.remoteId, { ...earned, ...clicks });

    const found = await read([old.remoteId, young.remoteId], call);

    expect(found.get(old.remoteId)).toEqual(earned);
    expect(found.get(young.remoteId)).toEqual({ ...earned, ...clicks });
    expect(x.requests().filter((request) => request === "GET /2/tweets")).toHaveLength(2);
  });

  test("of a hundred posts is one request, and a missing post is absent", async () => {
    const call = await connected();
    const ids: string[] = [];
    for (let index = 0; index < 100; index++) {
      ids.push((await publish(call, aPart({ text: `Tip ${index}` }))).remoteId);
    }
    const [removed = ""] = ids;
    await connector.remove?.(removed, call);

    const found = await read(ids, call);

    expect(found.size).toBe(99);
    expect(found.has(removed)).toBe(false);
    expect(x.requests().filter((request) => request === "GET /2/tweets")).toHaveLength(1);
  });

  test("that the platform leaves out is absent and not 0", async () => {
    const call = await connected();
    const { remoteId } = await publish(call, aPart());
    x.engage(remoteId, { likes: 3, replies: 2, impressions: 50, linkClicks: 5 });
    x.fault("metrics_partial", 1);

    expect((await read([remoteId], call)).get(remoteId)).toEqual({ likes: 3, reposts: 0 });
  });

  test("of only missing posts, or of ids that cannot be X's, is empty", async () => {
    const call = await connected();

    expect((await read(["1541815603606036480"], call)).size).toBe(0);
    expect((await read(["not-an-id"], call)).size).toBe(0);
  });
});
