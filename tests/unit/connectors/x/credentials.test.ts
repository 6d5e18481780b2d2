import { describe, expect, test } from "@jest/globals";
import { Credentials, Settings } from "../../../../shared/connectors/x/credentials.ts";

describe("credentials", () => {
  test("need no more than an access token", () => {
    expect(Credentials.parse({ accessToken: "abc" })).toEqual({
      accessToken: "abc",
      refreshToken: null,
      expiresAt: null,
      userId: null,
      handle: null,
      scopes: null,
    });
  });

  test.each(["", "two words", "line\nbreak", "ключ"])(
    "refuse the token %j, which fits in no header",
    (accessToken) => {
      expect(Credentials.safeParse({ accessToken }).success).toBe(false);
    },
  );
});

describe("settings", () => {
  test("reach the real platform by default", () => {
    expect(Settings.parse({})).toEqual({ baseUrl: "https://api.x.com" });
  });

  test("drop a slash at the end of the base URL and refuse a path", () => {
    expect(Settings.parse({ baseUrl: "http://127.0.0.1:4100/" }).baseUrl).toBe(
      "http://127.0.0.1:4100",
    );
    expect(Settings.safeParse({ baseUrl: "http://127.0.0.1:4100/x" }).success).toBe(false);
    expect(Settings.safeParse({ baseUrl: "ftp://127.0.0.1" }).success).toBe(false);
  });
});
