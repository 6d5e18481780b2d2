import path from "node:path";
import type { OpenStores } from "./open-stores.ts";

export interface Announcement {
  readonly address: string;
  readonly tookMs: number;
  readonly stores: OpenStores;
  /** Null when the token came from the environment. */
  readonly adminTokenFile: string | null;
  /** False where the database knows other tokens than ours. */
  readonly isTokenAccepted: boolean;
  /** Null in development, where the terminal shows all. */
  readonly logDir: string | null;
}

/** What a person needs to know once everything runs. */
export function announce(facts: Announcement): string {
  const { address, stores, logDir } = facts;
  const rows = [
    ["Sandbox feed", `${address}/sandbox`],
    ["API", `${address}/api/docs`],
    ["Admin token", tokenLine(facts)],
    ["PostgreSQL", stores.databaseLine],
    ["Queue", stores.queueLine],
    ...(logDir === null ? [] : [["Logs", fromHere(logDir)]]),
    ["Stop", "Ctrl-C"],
  ];
  return [
    "",
    `Postwell is ready at ${address} (after ${(facts.tookMs / 1000).toFixed(1)} s)`,
    "",
    ...rows.map(([name = "", value]) => `  ${name.padEnd(14)}${value}`),
    "",
  ].join("\n");
}

function tokenLine({ address, adminTokenFile, isTokenAccepted }: Announcement): string {
  if (!isTokenAccepted) return "this database has its own tokens; make another with npm run token";
  if (adminTokenFile === null) return "the one in POSTWELL_BOOTSTRAP_TOKEN";
  const file = fromHere(adminTokenFile);
  return `in ${file}; for example\n${" ".repeat(16)}curl -H "Authorization: Bearer $(cat ${file})" ${address}/api/v1/platforms`;
}

/** As short as the shell of the reader allows. */
function fromHere(file: string): string {
  const relative = path.relative(process.env["INIT_CWD"] ?? process.cwd(), file);
  return relative.startsWith("..") || path.isAbsolute(relative) ? file : relative;
}
