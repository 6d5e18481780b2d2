import { describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { startApi } from "../support/api-client.ts";
import { apiStack } from "../support/api-stack.ts";
import { channelRequests } from "../support/channel-requests.ts";

const stack = apiStack();
const requests = channelRequests(stack);
const { aRequest, connect, eventsOf } = requests;

describe("connecting", () => {
  test("stores a channel whose credentials work", async () => {
    const answer = await stack.client.post("/channels", aRequest("heart", "Heart Center"));

    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      platform: "mastodon",
      name: "Heart Center",
      handle: "@heart@social.example",
      state: "connected",
      attention: null,
    });
    expect(await eventsOf(answer.body.id)).toEqual(["channel.connected"]);
    const read = await stack.client.get(`/channels/${answer.body.id}`);
    expect(read.body).toEqual(answer.body);
  });

  test("never shows credentials", async () => {
    const request = aRequest("secretive");
    const { accessToken } = request.credentials;

    const made = await stack.client.post("/channels", request);
    const listed = await stack.client.get("/channels?limit=200");

    expect(JSON.stringify([made.body, listed.body])).not.toContain(accessToken);
    const { sealedCredentials } = await stack.db
      .selectFrom("channels")
      .select("sealedCredentials")
      .where("id", "=", made.body.id)
      .executeTakeFirstOrThrow();
    expect(sealedCredentials.includes(accessToken)).toBe(false);
  });

  test("refuses an account that is connected already", async () => {
    await stack.client.post("/channels", aRequest("twice"));

    const again = await stack.client.post("/channels", aRequest("twice", "Another name"));

    expect(again).toMatchObject({ status: 409, body: { code: "channel.exists" } });
  });

  test("refuses a name that another channel has, whatever its case", async () => {
    await stack.client.post("/channels", aRequest("namesake", "Kidney Center"));

    const again = await stack.client.post("/channels", aRequest("other", "KIDNEY center"));

    expect(again).toMatchObject({
      status: 409,
      body: { code: "channel.name_taken", errors: [{ path: "name" }] },
    });
  });

  test("lets two workspaces connect the same account", async () => {
    await stack.client.post("/channels", aRequest("shared"));
    const other = await stack.api.signIn();

    const answer = await other.post("/channels", aRequest("shared"));

    expect(answer.status).toBe(201);
  });

  test("tells the platform's own words when it refuses the credentials", async () => {
    const request = aRequest("locked-out");
    requests.platform.expireTokens("locked-out");

    const answer = await stack.client.post("/channels", request);

    expect(answer).toMatchObject({
      status: 400,
      body: {
        code: "channel.credentials_refused",
        errors: [{ path: "credentials", code: "reauthorize", kind: "reauthorize" }],
      },
    });
    expect(answer.body.errors[0]?.detail).toContain("The access token");
  });

  test("says which credential is missing", async () => {
    const answer = await stack.client.post("/channels", {
      platform: "mastodon",
      name: "Incomplete",
      credentials: { server: requests.platform.url },
    });

    expect(answer).toMatchObject({
      status: 400,
      body: { code: "channel.credentials_invalid", errors: [{ path: "credentials.accessToken" }] },
    });
  });

  test("answers 503 when the platform is away, and stores nothing", async () => {
    const request = aRequest("away");
    const credentials = { ...request.credentials, server: "http://127.0.0.1:1" };

    const answer = await stack.client.post("/channels", { ...request, credentials });

    expect(answer).toMatchObject({
      status: 503,
      body: { code: "channel.platform_unreachable", errors: [{ kind: "unavailable" }] },
    });
    expect(answer.headers.get("retry-after")).toBe("5");
    const { body } = await stack.client.get("/channels?limit=200");
    expect(body.items.map((channel) => channel["name"])).not.toContain("away");
  });

  describe("where the name of a host is not known", () => {
    /** As Node fails where nobody knows the name of the host; a test asks no name server. */
    const nobodyKnows: typeof fetch = (request) => {
      const { hostname } = new URL(request instanceof Request ? request.url : request);
      const facts = { code: "ENOTFOUND", syscall: "getaddrinfo", hostname };
      const cause = Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), facts);
      return Promise.reject(new TypeError("fetch failed", { cause }));
    };
    const offline = async (platform: string, credentials: object) => {
      const unknowing = await startApi({ ...stack.context, fetch: nobodyKnows });
      const { workspaceId } = stack.client.actor;
      const someone = await unknowing.signIn({ workspaceId });
      const answer = await someone.post("/channels", { platform, name: "Mistyped", credentials });
      await unknowing.close();
      return answer;
    };

    test.each([
      ["mastodon", "server", "mastodn.example", "mastodn.example"],
      ["mastodon", "server", "https://Mastodn.Example", "mastodn.example"],
      ["mastodon", "server", "herz-überall.example", "xn--herz-berall-xhb.example"],
      ["bluesky", "service", "bsky.scoial", "bsky.scoial"],
    ])("a mistyped one is refused: %s, %s %s", async (id, field, typed, host) => {
      const rest =
        id === "mastodon"
          ? { accessToken: "a-token" }
          : { identifier: "heart.example", appPassword: "aaaa-bbbb-cccc-dddd" };

      const answer = await offline(id, { ...rest, [field]: typed });

      expect(answer).toMatchObject({
        status: 400,
        body: {
          code: "channel.host_not_found",
          detail: expect.stringContaining(host),
          errors: [{ path: `credentials.${field}`, platformMessage: null }],
        },
      });
    });

    test("one that nobody typed is not the person's fault", async () => {
      const credentials = { identifier: "heart.example", appPassword: "aaaa-bbbb-cccc-dddd" };

      const answer = await offline("bluesky", credentials);

      expect(answer).toMatchObject({
        status: 503,
        body: { code: "channel.platform_unreachable", errors: [{ platformCode: "ENOTFOUND" }] },
      });
    });
  });

  test("refuses a server inside the operator's own network", async () => {
    const request = aRequest("inside");
    const credentials = { ...request.credentials, server: "https://10.0.0.1" };

    const answer = await stack.client.post("/channels", { ...request, credentials });

    expect(answer).toMatchObject({ status: 400, body: { code: "channel.credentials_refused" } });
    expect(answer.body.detail).toContain("POSTWELL_ALLOW_PRIVATE_HOSTS");
  });

  test.each([
    ["an accent", "tök"],
    ["a line break", "to\nken"],
  ])("refuses a token with %s, which no request could carry", async (_, accessToken) => {
    const request = aRequest("typo");
    const credentials = { ...request.credentials, accessToken };

    expect(await stack.client.post("/channels", { ...request, credentials })).toMatchObject({
      status: 400,
      body: {
        code: "channel.credentials_invalid",
        errors: [{ path: "credentials.accessToken" }],
      },
    });
  });

  test("names the platforms that there are when it does not know one", async () => {
    const answer = await stack.client.post("/channels", {
      ...aRequest("space"),
      platform: "myspace",
    });

    expect(answer).toMatchObject({
      status: 400,
      body: { code: "channel.platform_unknown", errors: [{ path: "platform" }] },
    });
    expect(answer.body.detail).toContain("sandbox");
  });

  test("gives the same answer again under the same key, and asks for a new key for another body", async () => {
    const headers = { "idempotency-key": uuidv7() };
    const request = aRequest("keyed");

    const first = await stack.client.post("/channels", request, headers);
    const second = await stack.client.post("/channels", request, headers);
    const other = await stack.client.post("/channels", aRequest("keyed", "Other"), headers);

    expect(first.status).toBe(201);
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(other).toMatchObject({ status: 409, body: { code: "idempotency.key_reused" } });
  });
});

describe("reading", () => {
  test("pages through all channels, each once, and narrows by platform and state", async () => {
    const client = await stack.api.signIn();
    for (const name of ["one", "two", "three"]) await client.post("/channels", aRequest(name));

    const first = await client.get("/channels?limit=2");
    const second = await client.get(`/channels?limit=2&cursor=${first.body.nextCursor}`);
    const none = await client.get("/channels?platform=sandbox");
    const ill = await client.get("/channels?state=needs_attention");

    const names = [...first.body.items, ...second.body.items].map((channel) => channel["name"]);
    expect(names).toEqual(["one", "two", "three"]);
    expect(second.body.nextCursor).toBeNull();
    expect(none.body.items).toEqual([]);
    expect(ill.body.items).toEqual([]);
  });

  test("hides another workspace's channel as if there were none", async () => {
    const id = await connect("private");
    const stranger = await stack.api.signIn();

    const answers = await Promise.all([
      stranger.get(`/channels/${id}`),
      stranger.patch(`/channels/${id}`, { name: "Mine now" }),
      stranger.delete(`/channels/${id}`),
      stranger.post(`/channels/${id}/check`),
    ]);

    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 404, body: { code: "channel.missing" } });
    }
  });

  test("lets authors read channels and nothing more", async () => {
    const id = await connect("guarded");
    const { workspaceId } = stack.client.actor;
    const author = await stack.api.signIn({ scope: "author", workspaceId });

    const refused = await Promise.all([
      author.post("/channels", aRequest("authors-own")),
      author.patch(`/channels/${id}`, { name: "Other" }),
      author.delete(`/channels/${id}`),
      author.post(`/channels/${id}/check`),
    ]);

    expect((await author.get(`/channels/${id}`)).status).toBe(200);
    for (const answer of refused) {
      expect(answer).toMatchObject({ status: 403, body: { code: "token.forbidden" } });
    }
  });
});
