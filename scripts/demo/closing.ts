import path from "node:path";
import type { Performance } from "./conductor.ts";
import { findingsText, waitingList } from "./report.ts";
import type { Paint } from "./screen.ts";
import { plural } from "./stories.ts";
import type { Stock } from "./take-stock.ts";

export interface Closing {
  readonly stock: Stock;
  readonly time: Performance & { readonly beganAt: Date; readonly playedMs: number };
  readonly totalMs: number;
  readonly queueLine: string;
  readonly address: string;
  readonly tokenFile: string;
  readonly isKept: boolean;
}

const DAY_MS = 24 * 3_600_000;

/** What there is to see. */
export function openingText(paint: Paint): string {
  return `
${paint.bold("Postwell: seven weeks of heart health posts in under a minute")}

  The plan of examples/american-heart-month-2027.csv goes through the whole of Postwell: a real api, two real workers, real
  PostgreSQL and queue. Only the platforms are stand-ins, which misbehave on purpose and count what they saw.
  Time: the database's clock runs at its usual pace, and jumps ahead whenever nobody works and nothing is due.
`;
}

/** The table, what waits for a person, and whether all is as it should be. */
export function closingText(closing: Closing, paint: Paint): string {
  const { stock } = closing;
  return `
${stock.table}

${timeLines(closing)}

${waitingText(closing, paint)}
${verdict(stock, paint)}
`;
}

function timeLines({ time, totalMs, queueLine }: Closing): string {
  const days = Math.round((time.endedAt.getTime() - time.beganAt.getTime()) / DAY_MS);
  const weeks = `${plural(Math.floor(days / 7), "week")} and ${plural(days % 7, "day")}`;
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(0)} s`;
  return [
    `  time    ${weeks} in ${seconds(time.playedMs)}, by ${time.jumps} jumps of the clock; ${seconds(totalMs)} with start and import`,
    `  queue   ${queueLine}`,
    "  late    from the planned minute to the first attempt, in real time; without the deliveries that a trouble held up",
  ].join("\n");
}

function waitingText(closing: Closing, paint: Paint): string {
  const { stock, isKept } = closing;
  const waiting = waitingList(stock.accounts, paint);
  if (waiting === "") return "  Nothing waits for a person.\n";
  const advice = isKept
    ? "  Everything is still up. In another terminal, this retries them all, and Ctrl-C here ends the demo:"
    : "  This retries them all, while the demo is up: npm run demo -- --keep leaves it up and gives you the command to run.";
  return `${paint.bold("  These wait for a person:")}
${waiting}

  The channel is connected again, and the stand-ins have stopped refusing, so one command is enough here. On a real
  platform a refused text has to be edited first.

${advice}

${retryCommand(closing)}
`;
}

/** Copied into any shell in this folder, it works. */
function retryCommand({ address, tokenFile }: Closing): string {
  return `    curl -X POST ${address}/api/v1/deliveries/retry \\
      -H "Authorization: Bearer $(cat ${path.relative(process.cwd(), tokenFile)})" \\
      -H "Content-Type: application/json" -d '{"state":"failed"}'`;
}

function verdict({ findings, seenPartsOf }: Stock, paint: Paint): string {
  if (findings.length === 0) {
    return paint.good(
      "  Checked against what the platforms saw: nothing lost, nothing doubled, every text and alt text as planned.",
    );
  }
  return `${paint.bad(`  ${plural(findings.length, "finding")}: this must not be.`)}\n${findingsText(findings, seenPartsOf)}`;
}
