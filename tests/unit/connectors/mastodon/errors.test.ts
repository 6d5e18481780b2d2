import { describe, expect, test } from "@jest/globals";
import type { Answer } from "../../../../shared/connectors/http.ts";
import { isMissing, refusal, type Purpose } from "../../../../shared/connectors/mastodon/errors.ts";

const now = new Date("2027-02-05T15:00:00Z");

describe("refusal", () => {
  test.each<[number, Purpose, string]>([
    [401, "commit", "reauthorize"],
    [403, "commit", "permission"],
    [404, "commit", "gone"],
    [422, "commit", "content_rejected"],
    [422, "upload", "media_invalid"],
    [413, "upload", "media_invalid"],
    [500, "upload", "unavailable"],
    [500, "commit", "unknown_outcome"],
    [503, "commit", "unknown_outcome"],
    [408, "commit", "unknown_outcome"],
    [301, "commit", "unknown_outcome"],
    [301, "read", "unavailable"],
    [502, "remove", "unavailable"],
    [418, "commit", "bug"],
  ])("takes %i for a %s as %s", (status, purpose, kind) => {
    expect(refusal(answered(status, { error: "No" }), purpose, now).kind).toBe(kind);
  });

  test.each([403, 404, 422])("takes a proxy's page with %i as a server that is away", (status) => {
    const error = refusal(answered(status, undefined), "commit", now);

    expect(error).toMatchObject({ kind: "unavailable", platformMessage: null });
  });

  test("tells the sentence of an OAuth error, not its code", () => {
    const body = { error: "invalid_token", error_description: "The access token was revoked" };

    expect(refusal(answered(401, body), "read", now)).toMatchObject({
      platformMessage: "The access token was revoked",
      platformCode: "401",
    });
  });

  test("does not find a kind in digits of the sentence", () => {
    const error = refusal(answered(422, { error: "429 and 401 are digits" }), "commit", now);

    expect(error.kind).toBe("content_rejected");
  });

  test.each<[string, Record<string, string>, string]>([
    [
      "ISO 8601 with microseconds",
      { "x-ratelimit-reset": "2027-02-05T15:05:00.123456Z" },
      "2027-02-05T15:05:00.123Z",
    ],
    ["seconds from a proxy", { "retry-after": "90" }, "2027-02-05T15:01:30.000Z"],
    [
      "a date from a proxy",
      { "retry-after": "Fri, 05 Feb 2027 15:02:00 GMT" },
      "2027-02-05T15:02:00.000Z",
    ],
    ["nothing, which is the window of five minutes", {}, "2027-02-05T15:05:00.000Z"],
  ])("reads the end of a rate limit from %s", (_name, headers, until) => {
    const error = refusal(answered(429, undefined, headers), "commit", now);

    expect(error.kind).toBe("rate_limited");
    expect(error.until?.toISOString()).toBe(until);
  });
});

test("takes only the server's own word that something is missing", () => {
  expect(isMissing(answered(404, { error: "Record not found" }))).toBe(true);
  expect(isMissing(answered(404, undefined))).toBe(false);
  expect(isMissing(answered(500, { error: "Record not found" }))).toBe(false);
});

function answered(status: number, json: unknown, headers: Record<string, string> = {}): Answer {
  return { status, json, text: "", headers: new Headers(headers) };
}
