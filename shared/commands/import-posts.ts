import { setImmediate as nextTurn } from "node:timers/promises";
import { v7 as uuidv7 } from "uuid";
import type { Actor, Context } from "../context.ts";
import { clock, inTransaction, type Tx } from "../db/client.ts";
import { insertDeliveries, wakeChannels, type NewDelivery } from "../db/deliveries-plan.ts";
import {
  channelsByName,
  describeMedia,
  lockImports,
  mediaByName,
  mediaShown,
  postsByExternalId,
} from "../db/imports.ts";
import { insertPosts } from "../db/posts.ts";
import { planFor } from "../domain/delivery-plan.ts";
import { cellsOf, readHeader, type ImportNote } from "../domain/import-columns.ts";
import { readRow, type CellError, type ImportRow } from "../domain/import-row.ts";
import { deliveryHash } from "../domain/post.ts";
import { AppError } from "../errors.ts";
import { planRow, type ImportLookups, type PlannedRow } from "./import-plan.ts";

/** Most rows of one file. */
const IMPORT_LIMIT = 5_000;

/** Rows of one statement. */
const CHUNK = 500;

/** Rows that are worked on before other requests get a turn. */
const ROWS_A_TURN = 50;

/** The rows of a file, numbered as a spreadsheet does: the header is row 1. */
export interface ImportTable {
  readonly header: readonly string[];
  readonly records: readonly { readonly row: number; readonly cells: readonly string[] }[];
}

export interface ImportReport {
  readonly rows: number;
  readonly valid: number;
  readonly created: number;
  /** Rows that an earlier import has made posts of. */
  readonly existing: number;
  /** In the order of the rows. */
  readonly errors: readonly ImportNote[];
  readonly notices: readonly ImportNote[];
}

/**
 * Makes posts of the rows of a table and schedules them: all of them, or none where one is wrong. Rows that an earlier import has
 * made posts of are passed over, so that it may be repeated.
 * @param input.isDryRun finds the errors and stores nothing
 * @throws {AppError} invalid `import.too_many_rows`, `import.empty`, and `import.rejected` with every error, unless it is a dry run
 */
export async function importPosts(
  context: Context,
  actor: Actor,
  { table, isDryRun }: { readonly table: ImportTable; readonly isDryRun: boolean },
): Promise<ImportReport> {
  if (table.records.length > IMPORT_LIMIT) throw tooManyRows(table.records.length);
  const { places, errors } = readHeader(table.header);
  if (errors.length > 0) return rejectUnless(isDryRun, { ...NOTHING, errors });
  if (table.records.length === 0) throw noRows();
  const read = table.records.map(({ row, cells }) => {
    return { row, ...readRow(cellsOf(cells, places)) };
  });
  return inTransaction(context.db, async (tx) => {
    if (!isDryRun) await lockImports(tx, actor.workspaceId);
    const lookups = await lookUp(
      tx,
      actor.workspaceId,
      read.map(({ value }) => value),
    );
    const plan = await planRows(context, read, lookups);
    const report = rejectUnless(isDryRun, plan.report);
    if (!isDryRun) await store(tx, actor, plan);
    return report;
  });
}

const NOTHING: ImportReport = {
  rows: 0,
  valid: 0,
  created: 0,
  existing: 0,
  errors: [],
  notices: [],
};

async function lookUp(
  tx: Tx,
  workspaceId: string,
  rows: readonly ImportRow[],
): Promise<ImportLookups> {
  const names = [...new Set(rows.flatMap(({ media }) => media.map(({ name }) => name)))];
  const media = await mediaByName(tx, workspaceId, names);
  const speechless = [...media.values()].filter(({ altText }) => altText === "");
  return {
    channels: await channelsByName(tx, workspaceId),
    media,
    posts: await postsByExternalId(
      tx,
      workspaceId,
      rows.map(({ externalId }) => externalId),
    ),
    shown: await mediaShown(
      tx,
      workspaceId,
      speechless.map(({ id }) => id),
    ),
    now: await clock(tx),
  };
}

interface ReadRow {
  readonly row: number;
  readonly value: ImportRow;
  readonly errors: readonly CellError[];
}

interface ImportPlan {
  readonly report: ImportReport;
  readonly planned: readonly PlannedRow[];
  /** By medium id. */
  readonly altTexts: ReadonlyMap<string, string>;
}

async function planRows(
  context: Context,
  read: readonly ReadRow[],
  lookups: ImportLookups,
): Promise<ImportPlan> {
  const planned: PlannedRow[] = [];
  const errors: ImportNote[] = [];
  const notices: ImportNote[] = [];
  const altTexts = new Map<string, string>();
  const rowsById = new Map<string, number>();
  let existing = 0;
  let wrong = 0;
  for (const [index, { row, value, errors: cellErrors }] of read.entries()) {
    if (index % ROWS_A_TURN === 0) await nextTurn();
    const twin = rowsById.get(value.externalId);
    rowsById.set(value.externalId, row);
    const outcome = planRow(context, value, lookups, altTexts);
    const all = [
      ...cellErrors,
      ...(twin === undefined ? [] : [twiceInFile(value, twin)]),
      ...(outcome.kind === "wrong" ? outcome.errors : []),
    ];
    errors.push(...withoutEchoes(all).map((error) => ({ row, ...error })));
    if (all.length > 0) wrong += 1;
    else if (outcome.kind === "existing") existing += 1;
    else if (outcome.kind === "planned") {
      planned.push(outcome.planned);
      notices.push(...repetitionNotice(row, outcome.planned));
    }
  }
  const counts = { rows: read.length, valid: read.length - wrong, created: planned.length };
  return { planned, altTexts, report: { ...counts, existing, errors, notices } };
}

/** An empty cell is one error, not also a badly written one. */
function withoutEchoes(errors: readonly CellError[]): CellError[] {
  const empty = errors.filter(({ code }) => code === "import.cell_empty");
  return errors.filter(
    (error) => empty.includes(error) || !empty.some(({ column }) => column === error.column),
  );
}

function twiceInFile({ isIdDerived }: ImportRow, twin: number): CellError {
  const what = isIdDerived ? "is the same as" : "has the same id as";
  return { column: "id", code: "import.row_twice", detail: `This row ${what} row ${twin}.` };
}

function repetitionNotice(row: number, { moment }: PlannedRow): ImportNote[] {
  if (!moment.repeated) return [];
  const detail = `The clocks are put back over this hour, so it happens twice. The earlier one is taken: ${moment.dueAt.toISOString()}. The later one is ${moment.repeated.other.toISOString()}.`;
  return [{ row, column: "time", code: "schedule.time_repeated", detail }];
}

function rejectUnless(isDryRun: boolean, report: ImportReport): ImportReport {
  if (isDryRun || report.errors.length === 0) return report;
  throw new AppError(
    "invalid",
    "import.rejected",
    "The file has errors, so nothing of it was imported. Correct them and import it again.",
    report.errors.map(({ row, column, code, detail }) => {
      return { path: `rows.${row}.${column}`, code, detail, facts: { row, column } };
    }),
  );
}

async function store(
  tx: Tx,
  { workspaceId, tokenId }: Actor,
  { planned, altTexts }: ImportPlan,
): Promise<void> {
  await describeMedia(tx, workspaceId, altTexts);
  const due: { channelId: string; platform: string; at: Date }[] = [];
  for (let start = 0; start < planned.length; start += CHUNK) {
    const rows = planned.slice(start, start + CHUNK).map((row) => ({ id: uuidv7(), ...row }));
    const posts = rows.map(({ id, externalId, content, contentHash }) => {
      const owner = { workspaceId, createdBy: tokenId };
      return { ...content, ...owner, id, externalId, contentHash, state: "scheduled" as const };
    });
    const stored = await insertPosts(tx, posts);
    if (stored.includes(null)) throw takenMeanwhile();
    const deliveries = rows.flatMap(deliveriesOf);
    await insertDeliveries(tx, workspaceId, deliveries);
    due.push(...deliveries.map(({ dueAt, ...delivery }) => ({ ...delivery, at: dueAt })));
  }
  await wakeChannels(tx, due);
}

function deliveriesOf(row: PlannedRow & { readonly id: string }): NewDelivery[] {
  const plan = planFor(row.moment, row.content.latestAfterMinutes);
  return [...row.channels.values()].map((channel) => {
    const { id: channelId, platform } = channel;
    const contentHash = deliveryHash(row.content, channel, row.media);
    return { id: uuidv7(), postId: row.id, channelId, platform, contentHash, ...plan };
  });
}

function tooManyRows(count: number): AppError {
  const code = "import.too_many_rows";
  const detail = `The file has ${count} rows, and an import takes ${IMPORT_LIMIT}. Split it into several files.`;
  const facts = { rows: count, max: IMPORT_LIMIT };
  return new AppError("invalid", code, detail, [{ path: "file", code, detail, facts }]);
}

function noRows(): AppError {
  const code = "import.empty";
  const detail = "The file has no rows below its header, so there is nothing to import.";
  return new AppError("invalid", code, detail, [{ path: "file", code, detail }]);
}

function takenMeanwhile(): AppError {
  const code = "post.external_id_taken";
  const detail =
    "Somebody has just made a post with an id of this file. Nothing was imported; try again.";
  return new AppError("conflict", code, detail, [{ path: "file", code, detail }]);
}
