import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Wrong } from "./wrong.ts";
import type { Scene } from "./scene.ts";
import type { SeenPost } from "./platforms.ts";

const MAX_LOG_LINES = 25;

/** All that is known about a delivery with which something is wrong, for whoever looks for the reason. */
export async function tellStory(
  { stage, base }: Scene,
  { what, detail, line }: Wrong,
  posts: readonly SeenPost[],
): Promise<string> {
  if (!line) return `${what.toUpperCase()}: ${detail}`;
  const texts = new Set([...line.planned.texts, ...(line.changed?.texts ?? [])]);
  const seen = posts.filter(({ text }) => texts.has(text));
  const sections: [string, readonly unknown[]][] = [
    ["what the API was asked", line.done ? [line.done] : []],
    ["delivery", await rowsAbout(stage, "select * from deliveries where id = $1", line.deliveryId)],
    ["attempts", await rowsAbout(stage, ATTEMPTS, line.deliveryId)],
    ["receipts", await rowsAbout(stage, RECEIPTS, line.deliveryId)],
    ["events", await rowsAbout(stage, EVENTS, line.deliveryId)],
    ["what the platform saw", seen],
    ["log", await logLines(stage.logDir, line.deliveryId)],
  ];
  const head = `${what.toUpperCase()}: delivery ${line.number} (${line.deliveryId}): ${detail}`;
  const planned = `  planned for ${after(base, line.planned.dueAt)}${
    line.changed ? `, changed to ${after(base, line.changed.dueAt)}` : ""
  }; the start was ${base.toISOString()}`;
  const body = sections.flatMap(([name, rows]) => {
    const told = rows.map((row) => `    ${typeof row === "string" ? row : JSON.stringify(row)}`);
    return [`  ${name}:`].concat(told);
  });
  return [head, planned, ...body].join("\n");
}

const ATTEMPTS = `
  select a.id, a.part, a.fence, a.worker, a.armed_at, o.outcome, o.answered_at, o.error
    from attempts a left join attempt_outcomes o on o.attempt_id = a.id
   where a.delivery_id = $1 order by a.armed_at`;

const RECEIPTS = `
  select part, remote_id, published_at, known_by, recorded_at from receipts where delivery_id = $1 order by part`;

const EVENTS = "select type, at from events where subject_id = $1 order by xid, id";

function rowsAbout({ database }: Scene["stage"], query: string, id: string): Promise<unknown[]> {
  return database.rows(query, [id === "" ? null : id]);
}

async function logLines(logDir: string, id: string): Promise<string[]> {
  if (id === "") return [];
  const found: string[] = [];
  for (const name of await readdir(logDir)) {
    const lines = (await readFile(path.join(logDir, name), "utf8")).split("\n");
    found.push(...lines.filter((line) => line.includes(id)).map((line) => `${name}: ${line}`));
  }
  return found.slice(0, MAX_LOG_LINES);
}

function after(base: Date, at: Date): string {
  return `${((at.getTime() - base.getTime()) / 1_000).toFixed(3)} s`;
}
