import path from "node:path";
import { PERSON_MAY_RETRY } from "../../shared/domain/retry-plan.ts";
import type { Performance } from "./conductor.ts";
import { findingsText, waitingList } from "./report.ts";
import type { Paint } from "./screen.ts";
import { plural } from "./stories.ts";
import type { Stock } from "./take-stock.ts";

export interface Closing {
  readonly stock: Stock;
  /** Deaths of processes that nobody wanted, as sentences. */
  readonly crashes: readonly string[];
  readonly time: Performance & { readonly beganAt: Date; readonly totalMs: number };
  readonly queueLine: string;
  readonly address: string;
  readonly tokenFile: string;
  readonly isKept: boolean;
}

const DAY_MS = 24 * 3_600_000;

/** What there is to see. */
export function openingText(paint: Paint): string {
  return `
${paint.bold("Postwell: seven weeks of heart health posts in about a minute")}

  The plan in examples/ goes through the whole of Postwell: a real api, two
  real workers, a real PostgreSQL and queue. Only the platforms are stand-ins:
  they misbehave on purpose, and count what they saw.

  How time is compressed: the database's clock runs at its usual pace, and
  jumps ahead whenever nobody is at work and nothing is due. So the weeks in
  between cost nothing, and what happens takes its real time.
`;
}

/** The table, what waits for a person, and whether all is as it should be. */
export function closingText(closing: Closing, paint: Paint): string {
  return [
    "",
    closing.stock.table,
    "",
    timeLines(closing),
    "",
    verdict(closing, paint),
    "",
    waitingText(closing, paint),
    "",
  ].join("\n");
}

function timeLines({ time, queueLine }: Closing): string {
  const days = Math.round((time.endedAt.getTime() - time.beganAt.getTime()) / DAY_MS);
  const weeks = `${plural(Math.floor(days / 7), "week")} and ${plural(days % 7, "day")}`;
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(0)} s`;
  return [
    "  *      waits for a person, see below",
    `  late   from the planned minute to the first attempt, uploads included, in`,
    `         real time; without the deliveries that a trouble held up`,
    `  time   ${weeks} in ${seconds(time.playedMs)}, by ${time.jumps} jumps of the clock (${seconds(time.totalMs)} in all)`,
    `  queue  ${queueLine}`,
  ].join("\n");
}

function verdict({ stock, crashes, tokenFile }: Closing, paint: Paint): string {
  const { findings, seenPartsOf } = stock;
  if (findings.length === 0 && crashes.length === 0) {
    return paint.good(
      "  Checked against what the platforms saw: nothing lost, nothing doubled,\n  every text and alt text as planned.",
    );
  }
  const head = paint.bad(
    `  ${plural(findings.length + crashes.length, "finding")}: this must not be.`,
  );
  const lines = crashes.map((crash) => `  ${crash}`);
  const logs = `  The logs of api and workers stay in ${path.join(path.dirname(tokenFile), "logs")}.`;
  return [head, ...lines, findingsText(findings, seenPartsOf), logs].join("\n");
}

function waitingText(closing: Closing, paint: Paint): string {
  const { stock, isKept } = closing;
  if (stock.waiting.length === 0) return "  Nothing waits for a person.";
  const advice = isKept
    ? "  All of it is still up. In another terminal in this folder, this retries them;\n  the second one shows what still waits. Ctrl-C here ends the demo."
    : "  This command retries them. It needs the demo to be up: npm run demo -- --keep\n  leaves it up and prints the command again.";
  return `${paint.bold(`  ${plural(stock.waiting.length, "delivery", "deliveries")} wait for a person:`)}

${waitingList(stock.waiting, paint)}

  By now the channel is connected again and the stand-ins have stopped refusing,
  so one command is enough. A real platform's refusal would need an edit first.

${advice}

${commands(closing)}`;
}

/** Copied into a shell, they work. */
function commands({ address, tokenFile, stock }: Closing): string {
  const waiting = new Set(stock.waiting.map(({ delivery }) => delivery?.state));
  const states = PERSON_MAY_RETRY.filter((state) => waiting.has(state));
  const token = `-H "Authorization: Bearer $(cat ${path.relative(process.cwd(), tokenFile)})"`;
  return `  curl -sS -X POST ${address}/api/v1/deliveries/retry \\
    ${token} \\
    -H "Content-Type: application/json" -d '${JSON.stringify({ state: states })}'

  curl -sS "${address}/api/v1/deliveries?state=${states.join(",")}" \\
    ${token}`;
}
