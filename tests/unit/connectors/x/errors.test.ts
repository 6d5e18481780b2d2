import { describe, expect, test } from "@jest/globals";
import {
  COMMIT,
  READ,
  RENEWAL,
  UPLOAD,
  toConnectorError,
  type Purpose,
} from "../../../../shared/connectors/x/errors.ts";

const NOW = new Date("2027-02-05T15:00:00Z");

function refusal(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  purpose: Purpose = COMMIT,
) {
  return toConnectorError({ status, body, headers }, purpose, NOW);
}

const forbidden = (detail: string) => ({
  title: "Forbidden",
  detail,
  type: "about:blank",
  status: 403,
});

describe("a refusal", () => {
  test.each([
    [forbidden("You are not allowed to create a Tweet with duplicate content."), "duplicate"],
    [
      forbidden("Reply to this conversation is not allowed because you have not been mentioned."),
      "policy_blocked",
    ],
    [forbidden("You attempted to reply to a Tweet that is deleted or not visible to you."), "gone"],
    [forbidden("You are not permitted to perform this action."), "permission"],
    [forbidden("This user is not allowed to post a video longer than 2 minutes."), "media_invalid"],
  ])("of 403 is told apart by its detail: %j", (body, kind) => {
    expect(refusal(403, body)).toMatchObject({
      kind,
      platformMessage: body.detail,
      platformCode: "403",
    });
  });

  test.each([
    [402, "billing"],
    [401, "reauthorize"],
    [404, "gone"],
    [500, "unknown_outcome"],
    [504, "unknown_outcome"],
    [408, "unknown_outcome"],
    [418, "bug"],
  ])("of a commit with status %d is %s", (status, kind) => {
    expect(refusal(status, { title: "No", detail: "No." }).kind).toBe(kind);
  });

  test("with 5xx of a request that may be repeated is unavailable", () => {
    expect(refusal(503, undefined, {}, READ).kind).toBe("unavailable");
    expect(refusal(503, undefined, {}, UPLOAD).kind).toBe("unavailable");
    expect(refusal(503, undefined, {}, RENEWAL).kind).toBe("unavailable");
  });

  test.each([401, 403, 404])(
    "with a page instead of a problem and status %d says nothing about the post",
    (status) => {
      expect(refusal(status, "<html>403190</html>").kind).toBe("unavailable");
    },
  );

  test("is not read from digits or words elsewhere in the body", () => {
    const body = {
      ...forbidden("You are not permitted to perform this action."),
      trace: "duplicate content 429 402",
    };

    expect(refusal(403, body).kind).toBe("permission");
  });

  test("that blames the media is about the media, any other about the text", () => {
    const problem = (name: string) => ({
      errors: [{ parameters: { [name]: ["1"] }, message: "It is invalid." }],
      title: "Invalid Request",
      detail: "One or more parameters to your request was invalid.",
      type: "https://api.twitter.com/2/problems/invalid-request",
    });

    expect(refusal(400, problem("media.media_ids"))).toMatchObject({
      kind: "media_invalid",
      platformMessage: "It is invalid.",
      platformCode: "invalid-request",
    });
    expect(refusal(400, problem("text")).kind).toBe("content_rejected");
  });

  test("of a spent refresh token asks for a person, of an unknown app for the operator", () => {
    const spent = {
      error: "invalid_request",
      error_description: "Value passed for the token was invalid.",
    };
    const unknown = {
      error: "unauthorized_client",
      error_description: "Missing valid authorization header",
    };

    expect(refusal(400, spent, {}, RENEWAL)).toMatchObject({
      kind: "reauthorize",
      platformMessage: "Value passed for the token was invalid.",
    });
    expect(refusal(401, unknown, {}, RENEWAL).kind).toBe("permission");
  });
});

describe("a rate limit", () => {
  const tooMany = { title: "Too Many Requests", detail: "Too Many Requests", type: "about:blank" };

  test("ends when the header says so, in epoch seconds", () => {
    const error = refusal(429, tooMany, {
      "x-rate-limit-remaining": "0",
      "x-rate-limit-reset": "1801840500",
    });

    expect(error).toMatchObject({ kind: "rate_limited", until: new Date(1_801_840_500_000) });
  });

  test("without a header ends after one window", () => {
    expect(refusal(429, "<html>").until).toEqual(new Date("2027-02-05T15:15:00Z"));
  });

  test("of the day is a quota, whatever the quarter-hour's header says", () => {
    const headers = {
      "x-rate-limit-reset": "1801840500",
      "x-user-limit-24hour-remaining": "0",
      "x-user-limit-24hour-reset": "1801900000",
    };

    expect(refusal(429, tooMany, headers)).toMatchObject({
      kind: "quota_exhausted",
      until: new Date(1_801_900_000_000),
    });
  });

  test("of the month is a quota without a known end", () => {
    const type = "https://developer.x.com/en/support/x-api/error-troubleshooting#usage-capped";

    expect(refusal(429, { ...tooMany, type })).toMatchObject({
      kind: "quota_exhausted",
      until: null,
    });
  });
});

describe("the platform's sentence", () => {
  const text = "Know your blood pressure before spring comes";

  test("is not passed on where it quotes the post, even cut short", () => {
    const body = {
      errors: [{ message: `Not accepted: ${text.slice(0, 30)}…` }],
      title: "Invalid Request",
      detail: "One or more parameters to your request was invalid.",
    };
    const error = refusal(400, body, {}, { ...COMMIT, secret: text });

    expect(error.platformMessage).toBe("One or more parameters to your request was invalid.");
    expect(JSON.stringify(error) + error.message).not.toContain("blood pressure");
  });

  test("is absent where every sentence quotes the post", () => {
    const body = { title: "Invalid Request", detail: `No: ${text}` };

    expect(refusal(400, body, {}, { ...COMMIT, secret: text }).platformMessage).toBeNull();
  });
});
