import { Client } from "pg";
import type { Stage } from "./stage.ts";

/** A database of one engine. */
export interface BenchDatabase {
  readonly url: string;
  readonly client: Client;
  drop(): Promise<void>;
}

/** Copies the template, so that every engine begins with the same rows and nothing else. */
export async function copyTemplate(stage: Stage): Promise<BenchDatabase> {
  const name = `bench_${Date.now()}`;
  await onServer(stage, `create database ${name} template ${stage.template.name}`);
  const url = new URL(stage.databaseUrl);
  url.pathname = `/${name}`;
  const client = new Client({ connectionString: url.href });
  // The servers end before we do when the bench is broken off.
  client.on("error", () => undefined);
  await client.connect();
  stage.onClose(() => client.end().catch(() => undefined));
  return {
    url: url.href,
    client,
    async drop() {
      await client.end();
      await onServer(stage, `drop database ${name} with (force)`);
    },
  };
}

async function onServer({ databaseUrl }: Stage, statement: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
