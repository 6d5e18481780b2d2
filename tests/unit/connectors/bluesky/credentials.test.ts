import { expect, test } from "@jest/globals";
import { addressOf, Credentials } from "../../../../shared/connectors/bluesky/credentials.ts";

test.each([
  ["bsky.social", "https://bsky.social"],
  [" https://pds.example/ ", "https://pds.example"],
  ["https://pds.example/xrpc/anything", "https://pds.example"],
  ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
  ["http://localhost:2583", "http://localhost:2583"],
])("reads %j as %s", (text, address) => {
  expect(addressOf(text)).toBe(address);
});

test.each(["http://pds.example", "file:///etc/passwd", "not a host", "", "ftp://pds.example"])(
  "refuses %j, which would show the app password or leads nowhere",
  (text) => {
    expect(addressOf(text)).toBeNull();
  },
);

test("needs no service and no session", () => {
  const typed = { identifier: " heart.bsky.social ", appPassword: "abcd-efgh-ijkl-mnop" };

  expect(Credentials.parse(typed)).toEqual({ ...typed, identifier: "heart.bsky.social" });
});

test("refuses a service that is no address", () => {
  const typed = { service: "http://pds.example", identifier: "a.example", appPassword: "x" };

  expect(Credentials.safeParse(typed).success).toBe(false);
});
