import { describe, expect, test } from "@jest/globals";
import { Credentials, serverAddress } from "../../../../shared/connectors/mastodon/access.ts";

describe("the server of a channel", () => {
  test.each([
    ["mastodon.example", "https://mastodon.example"],
    ["  Mastodon.Example/ ", "https://mastodon.example"],
    ["mastodon.example:8443", "https://mastodon.example:8443"],
    ["https://mastodon.example/", "https://mastodon.example"],
    ["http://127.0.0.1:4000", "http://127.0.0.1:4000"],
    ["http://localhost:4000", "http://localhost:4000"],
  ])("%j is reached at %s", (server, address) => {
    const credentials = Credentials.parse({ server, accessToken: "token" });

    expect(serverAddress(callWith(credentials))).toBe(address);
  });

  test.each([
    "",
    "http://mastodon.example",
    "ftp://mastodon.example",
    "https://user:secret@mastodon.example",
    "https://mastodon.example/@heart",
    "https://mastodon.example?x=1",
    "not a host",
  ])("%j is refused", (server) => {
    expect(Credentials.safeParse({ server, accessToken: "token" }).success).toBe(false);
  });

  test("gives way to the operator's base URL", () => {
    const credentials = Credentials.parse({ server: "mastodon.example", accessToken: "token" });
    const call = { ...callWith(credentials), settings: { baseUrl: "http://127.0.0.1:9/" } };

    expect(serverAddress(call)).toBe("http://127.0.0.1:9");
  });
});

function callWith(credentials: Credentials) {
  const { signal } = new AbortController();
  return { credentials, settings: {}, fetch, now: () => new Date(0), signal };
}
