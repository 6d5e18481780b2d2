import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { hostedDocuments } from "../../shared/db/hosted-documents.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const DAY_MS = 24 * 3_600_000;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

test("are kept apart by platform and by kind, the last one first", async () => {
  const one = hostedDocuments(database.db, "one");
  const other = hostedDocuments(database.db, "other");
  const first = await one.add({ at: 1 }, { kind: "post" });
  const second = await one.add({ at: 2 }, { kind: "post" });
  const third = await one.add({ at: 3 }, { kind: "post" });
  await one.add({ at: 4 }, { kind: "picture" });

  expect(await one.change(third.id, { document: { at: 33 } })).toBe(true);
  await one.remove(first.id);

  const listed = await one.list("post", 10);
  expect(listed.map(({ document }) => document)).toEqual([{ at: 33 }, { at: 2 }]);
  expect((await one.list("post", 1)).map(({ id }) => id)).toEqual([third.id]);
  expect(await one.find(first.id)).toBeNull();
  expect(await one.change(first.id, { kind: "post" })).toBe(false);
  expect(await other.find(second.id)).toBeNull();
  expect(await other.change(second.id, { kind: "stolen" })).toBe(false);
  expect(await other.list("post", 10)).toEqual([]);
});

test("stay as they are when their id is added again, on their own platform alone", async () => {
  const one = hostedDocuments(database.db, "one");
  const id = crypto.randomUUID();

  const added = await Promise.all([1, 2, 3].map((at) => one.add({ at }, { kind: "once", id })));
  const other = await hostedDocuments(database.db, "other").add({}, { kind: "once", id });

  const kept = added.find(({ isNew }) => isNew)?.document;
  expect(added.filter(({ isNew }) => isNew)).toHaveLength(1);
  expect(added.map(({ document }) => document)).toEqual([kept, kept, kept]);
  expect(other.isNew).toBe(true);
  expect(await one.list("once", 10)).toHaveLength(1);
});

test("are forgotten by kind and age", async () => {
  const one = hostedDocuments(database.db, "one");
  const old = await one.add({}, { kind: "upload" });
  const used = await one.add({}, { kind: "upload" });
  const others = await hostedDocuments(database.db, "other").add({}, { kind: "upload" });
  await one.change(used.id, { kind: "shown" });
  await database.setClock(new Date(Date.now() + DAY_MS));
  const young = await one.add({}, { kind: "upload" });

  await one.removeOlder("upload", DAY_MS / 2);

  expect((await one.list("upload", 10)).map(({ id }) => id)).toEqual([young.id]);
  expect(await one.find(old.id)).toBeNull();
  expect(await one.find(used.id)).not.toBeNull();
  expect(await hostedDocuments(database.db, "other").find(others.id)).not.toBeNull();
});
