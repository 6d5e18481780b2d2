import { describe, expect, test } from "@jest/globals";
import { Credentials, Settings } from "../../../shared/connectors/x/credentials.ts";
import { connector } from "../../../shared/connectors/x/index.ts";
import { MINUTE_MS, aPart, failure, publish, useX, type XCall } from "../../support/x.ts";

const stage = useX();

describe("a channel", () => {
  test("learns whose it is and keeps that in its credentials", async () => {
    const { remoteAccountId, handle, credentials } = await connector.connect(stage.callOf());

    expect(handle).toBe("@heart");
    expect(credentials).toMatchObject({ userId: remoteAccountId, handle: "heart" });
  });

  test("without the right to write fails its check once that is known", async () => {
    stage.x.grant("heart", ["tweet.read", "users.read", "offline.access"]);
    const call = await stage.connected();
    const credentials = await connector.renewal?.renew(call);

    const error = await failure(
      connector.check({ ...call, credentials: Credentials.parse(credentials) }),
    );

    expect(error).toMatchObject({ kind: "permission", platformCode: "missing_scope:tweet.write" });
  });

  test("without the right to write is told so by the platform at the latest when it posts", async () => {
    const call = await stage.connected();
    stage.x.grant("heart", ["tweet.read", "users.read"]);

    expect((await failure(publish(call, aPart()))).kind).toBe("permission");
  });
});

describe("renewal", () => {
  async function renew(call: XCall): Promise<Credentials> {
    if (!connector.renewal) throw new Error("There is no renewal");
    return connector.renewal.renew(call);
  }

  test("rotates the refresh token and tells when the new one ends", async () => {
    const call = await stage.connected();

    const credentials = await renew(call);

    expect(credentials.refreshToken).not.toBe(call.credentials.refreshToken);
    expect(credentials.userId).toBe(call.credentials.userId);
    expect(connector.renewal?.expiresAt(credentials)).toEqual(
      new Date(stage.now().getTime() + 120 * MINUTE_MS),
    );
    await publish({ ...call, credentials }, aPart());
    expect(stage.x.posts()).toHaveLength(1);
  });

  test("with a spent refresh token is refused once, not retried", async () => {
    const call = await stage.connected();
    await renew(call);

    const error = await failure(renew(call));

    expect(error).toMatchObject({
      kind: "reauthorize",
      platformMessage: "Value passed for the token was invalid.",
    });
    expect(stage.x.requests().filter((request) => request === "POST /2/oauth2/token")).toHaveLength(
      2,
    );
  });

  test("keeps the old refresh token where the answer names no new one", async () => {
    const call = await stage.connected();
    stage.x.trap("refresh_token_kept", 1);

    const credentials = await renew(call);

    expect(credentials.refreshToken).toBe(call.credentials.refreshToken);
    expect((await renew({ ...call, credentials })).refreshToken).not.toBe(
      call.credentials.refreshToken,
    );
  });

  test("proves the app by its secret, or names it where it has none", async () => {
    stage.x.registerApp({ clientId: "postwell", clientSecret: "s3cret" });
    const settings = Settings.parse({
      baseUrl: stage.x.url,
      clientId: "postwell",
      clientSecret: "s3cret",
    });
    const confidential = await renew({ ...(await stage.connected()), settings });
    stage.x.registerApp({ clientId: "public", clientSecret: null });
    const open = await renew({
      ...(await stage.connected()),
      settings: Settings.parse({ baseUrl: stage.x.url, clientId: "public" }),
    });

    expect([confidential.scopes, open.scopes]).toEqual([
      expect.arrayContaining(["tweet.write"]),
      expect.arrayContaining(["tweet.write"]),
    ]);
  });

  test("by an app that the platform does not know is the operator's to mend", async () => {
    stage.x.registerApp({ clientId: "postwell", clientSecret: "s3cret" });

    const error = await failure(renew(await stage.connected()));

    expect(error).toMatchObject({ kind: "permission", platformCode: "unauthorized_client" });
  });

  test("that met an outage may be tried again", async () => {
    const call = await stage.connected();
    stage.x.trap("renewal_unavailable", 1);

    expect((await failure(renew(call))).kind).toBe("unavailable");
    expect((await renew(call)).accessToken).not.toBe(call.credentials.accessToken);
  });

  test("without a refresh token asks for a person and sends nothing", async () => {
    const call = await stage.connected();
    const before = stage.x.requests().length;
    const credentials = { ...call.credentials, refreshToken: null };

    expect((await failure(renew({ ...call, credentials }))).kind).toBe("reauthorize");
    expect(stage.x.requests()).toHaveLength(before);
  });
});
