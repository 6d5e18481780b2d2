import { afterEach, describe, expect, test } from "@jest/globals";
import { connector } from "../../../shared/connectors/mastodon/index.ts";
import { aStage, addressOf, failure } from "./stage.ts";

const { started, close } = aStage();

afterEach(close);

describe("connecting", () => {
  test("reads the limits of the server, not those of Mastodon", async () => {
    const { call } = await started({ maxCharacters: 10_000, maxMedia: 8, reservedPerUrl: 256 });

    const { capabilities } = await connector.connect(call);

    expect(capabilities.text).toMatchObject({ max: 10_000, linkLength: 256 });
    expect(capabilities.media.maxCount).toBe(8);
    expect(Object.keys(capabilities.media.maxBytesByType)).not.toContain("video/mp4");
    expect(connector.measure("https://example.com", capabilities)).toBe(256);
  });

  test.each([4.2, 3.4, 3.3])("reads the limits of version %d too", async (version) => {
    const { call } = await started({ version, maxCharacters: 777 });

    const { capabilities } = await connector.connect(call);

    expect(capabilities.text).toMatchObject({ max: 777, linkLength: 23 });
  });

  test("names the account by the domain of its handle and keeps its id", async () => {
    const { call } = await started();

    const { handle, remoteAccountId, credentials } = await connector.connect(call);

    expect(handle).toBe("@heart@social.example");
    expect(remoteAccountId).toBe(`${credentials.accountId}@social.example`);
    expect(connector.credentials.parse(credentials)).toEqual(credentials);
  });

  test("refuses a token that may not post, in the server's words", async () => {
    const { call } = await started({}, ["read"]);

    const error = await failure(connector.connect(call));

    expect(error.kind).toBe("permission");
    expect(error.platformMessage).toContain("authorized scopes");
  });

  test("connects without images where the token may not upload", async () => {
    const { call } = await started({}, ["read", "write:statuses"]);

    const { capabilities } = await connector.connect(call);

    expect(capabilities.media.maxCount).toBe(0);
  });

  test("finds out that a token was revoked", async () => {
    const { simulator, call } = await started();
    simulator.expireTokens("heart");

    expect((await failure(connector.connect(call))).kind).toBe("reauthorize");
    expect((await failure(connector.check(call))).kind).toBe("reauthorize");
  });

  test("does not take a redirect for an answer, wherever it leads", async () => {
    const { call } = await started();
    const seen: string[] = [];
    const redirecting: typeof fetch = (input) => {
      seen.push(addressOf(input));
      const headers = { location: "http://169.254.169.254/" };
      return Promise.resolve(new Response(null, { status: 302, headers }));
    };

    const error = await failure(connector.connect({ ...call, fetch: redirecting }));

    expect(error.kind).toBe("unavailable");
    expect(seen).toHaveLength(1);
  });
});
