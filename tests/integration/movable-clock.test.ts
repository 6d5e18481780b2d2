import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { clock } from "../../shared/db/client.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/publishing.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

test("the clock may be moved by several while statements ask for the time", async () => {
  const { db } = database;
  const noon = new Date("2027-02-05T12:00:00Z");
  const move = () => database.setClock(noon, { frozen: true });
  const ask = () => sql<{ same: boolean }>`select clock() = clock() as same`.execute(db);

  const moves = Array.from({ length: 40 }, async () => {
    const [, { rows }] = await Promise.all([move(), ask(), move()]);
    return rows;
  });

  expect((await Promise.all(moves)).flat().every(({ same }) => same)).toBe(true);
  expect(await clock(db)).toEqual(noon);
});

test("the clock goes on from where it was set, unless it is frozen", async () => {
  const noon = new Date("2027-02-05T12:00:00Z");

  await database.setClock(noon);
  const first = await clock(database.db);

  expect(first >= noon).toBe(true);
  await eventually(
    () => clock(database.db),
    (later) => later > first,
  );
  await database.setClock(noon, { frozen: true });
  expect(await clock(database.db)).toEqual(await clock(database.db));
});
