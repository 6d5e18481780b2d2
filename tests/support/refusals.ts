import { expect } from "@jest/globals";
import type { ApiAnswer } from "./api-client.ts";
import type { ApiStack } from "./api-stack.ts";

/** A problem document. */
export interface Refusal {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly errors: readonly {
    readonly path: string;
    readonly code: string;
    readonly detail: string;
    readonly [fact: string]: unknown;
  }[];
}

/** Expects a whole problem document with its status, its code and, where given, its fields. */
export function expectRefusal(
  answer: ApiAnswer<Refusal>,
  expected: { status: number; code: string; paths?: readonly string[] },
): void {
  const { status, code, paths } = expected;
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(answer.body).toMatchObject({ status, code, type: `urn:postwell:problem:${code}` });
  expect(answer.body.detail.length).toBeGreaterThan(10);
  expect(answer.body.requestId).toBe(answer.headers.get("x-request-id"));
  if (paths) expect(answer.body.errors.map(({ path }) => path)).toEqual(paths);
}

/** How much there is of everything that a request could leave behind. */
export function traces({ db }: Pick<ApiStack, "db">): Promise<{ count: number }[]> {
  const tables = ["posts", "deliveries", "events", "outbox", "idempotencyKeys"] as const;
  const counts = tables.map((table) =>
    db
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow(),
  );
  return Promise.all(counts);
}
