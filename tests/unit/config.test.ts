import { expect, test } from "@jest/globals";
import { readConfig } from "../../shared/config.ts";

const fit = {
  DATABASE_URL: "postgres://postwell@localhost/postwell",
  POSTWELL_SECRET_KEY: Buffer.alloc(32).toString("base64"),
};

test.each([
  ["PORT", "web", "PORT must be a whole number from 0 to 65535, in digits."],
  ["PORT", "70000.5", "PORT must be a whole number from 0 to 65535, in digits."],
  [
    "POSTWELL_COMMIT_TIMEOUT_SECONDS",
    "0",
    "POSTWELL_COMMIT_TIMEOUT_SECONDS must be a number of at least 0.1, in digits.",
  ],
  ["POSTWELL_QUEUE", "kafka", "POSTWELL_QUEUE must be one of auto, redis, direct."],
  [
    "POSTWELL_ENGAGEMENT_AFTER",
    "15m,soon",
    "POSTWELL_ENGAGEMENT_AFTER must be durations such as 15m,6h,3d.",
  ],
  ["DATABASE_URL", "mysql://hush@h", "DATABASE_URL must begin with postgres://."],
])("%s that is %s is refused with what it may be, and without its value", (name, value, said) => {
  expect(() => readConfig({ ...fit, [name]: value })).toThrow(new Error(said));
});

test("whoever sets nothing is told where to begin", () => {
  expect(() => readConfig({})).toThrow(
    /^DATABASE_URL is not set\. POSTWELL_SECRET_KEY is not set\. .*`npm start`.*openssl rand -base64 32/,
  );
});

test("an empty variable is one that is not set", () => {
  expect(readConfig({ ...fit, PORT: "", REDIS_URL: "" })).toMatchObject({
    port: 3000,
    redisUrl: null,
  });
});
