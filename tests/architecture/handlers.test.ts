import { expect, test } from "@jest/globals";
import { requireHandlers } from "../../worker/engine/lease-keeper.ts";
import { JOBS } from "../../shared/jobs/registry.ts";

const handler = () => Promise.resolve();

test("a worker accepts exactly one handler for each job", () => {
  expect(() => requireHandlers(new Map(JOBS.map((job) => [job.name, handler])))).not.toThrow();
});

test("a worker refuses to start when a job has no handler", () => {
  const [first, ...others] = JOBS;

  expect(first).toBeDefined();
  expect(() => requireHandlers(new Map(others.map((job) => [job.name, handler])))).toThrow(
    /handlers are/,
  );
});

test("a worker refuses to start with a handler for no job", () => {
  const handlers = new Map(JOBS.map((job) => [job.name, handler]));

  expect(() => requireHandlers(handlers.set("unknown-job", handler))).toThrow(/unknown-job/);
});
