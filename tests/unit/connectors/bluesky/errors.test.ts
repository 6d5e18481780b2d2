import { expect, test } from "@jest/globals";
import { failureOf } from "../../../../shared/connectors/bluesky/errors.ts";

const now = new Date("2027-02-05T15:00:00Z");
const onCommit = { refused: "content_rejected", lost: "unknown_outcome" } as const;

function failure(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const json = typeof body === "string" ? undefined : body;
  return failureOf({ status, headers: new Headers(headers), text, json }, onCommit, now);
}

test.each([
  [400, "InvalidRequest", "content_rejected"],
  [400, "ExpiredToken", "reauthorize"],
  [400, "InvalidToken", "reauthorize"],
  [401, "AuthenticationRequired", "reauthorize"],
  [401, "AccountDeactivated", "permission"],
  [401, "AccountTakedown", "permission"],
  [400, "BlobTooLarge", "media_invalid"],
  [400, "BlobNotFound", "unavailable"],
  [400, "InvalidSwap", "duplicate"],
  [403, "Forbidden", "permission"],
  [404, "XRPCNotSupported", "unavailable"],
  [408, "RequestTimeout", "unknown_outcome"],
  [500, "InternalServerError", "unknown_outcome"],
  [502, "UpstreamFailure", "unknown_outcome"],
])("reads %d %s as %s", (status, error, kind) => {
  const found = failure(status, { error, message: "As the platform says." });

  expect(found).toMatchObject({
    kind,
    platformCode: error,
    platformMessage: "As the platform says.",
  });
});

test("believes the named error, not a word in the message", () => {
  const message = "Invalid record: text ExpiredToken 429 AccountTakedown";

  expect(failure(400, { error: "InvalidRequest", message }).kind).toBe("content_rejected");
});

test("gives the status of an answer that is no JSON", () => {
  expect(failure(403, "<html>Blocked</html>")).toMatchObject({
    kind: "permission",
    platformCode: "403",
    platformMessage: null,
  });
});

test.each([
  [{ "ratelimit-reset": "1801839600", "retry-after": "7" }, "2027-02-05T15:00:00.000Z"],
  [{ "retry-after": "290" }, "2027-02-05T15:04:50.000Z"],
  [{ "retry-after": "Fri, 05 Feb 2027 15:10:00 GMT" }, "2027-02-05T15:10:00.000Z"],
])("waits as %j says", (headers, until) => {
  const found = failure(429, { error: "RateLimitExceeded" }, headers);

  expect(found.kind).toBe("rate_limited");
  expect(found.until?.toISOString()).toBe(until);
});

test.each([{}, { "ratelimit-reset": "soon" }, { "retry-after": "-5 minutes ago" }])(
  "names no time where the platform names none: %j",
  (headers) => {
    const found = failure(429, { error: "RateLimitExceeded" }, headers);

    expect(found).toMatchObject({ kind: "rate_limited", until: null });
  },
);
