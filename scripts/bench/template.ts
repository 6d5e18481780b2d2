import { randomBytes } from "node:crypto";
import { Client } from "pg";
import * as z from "zod";
import { v7 as uuidv7 } from "uuid";
import { credentialsIdentity } from "../../shared/commands/channel-calls.ts";
import { connector } from "../../shared/connectors/sandbox/index.ts";
import { migrate } from "../../shared/db/migrate.ts";
import { TOKEN_PREFIX, tokenHash } from "../../shared/domain/token.ts";
import { createSealer } from "../../shared/sealing.ts";
import { addHistory } from "./history.ts";
import { ensureDatabase } from "../stores/postgres.ts";

/** A migrated database with a workspace and its channels. */
export interface Template {
  readonly name: string;
  readonly workspaceId: string;
  readonly tokenId: string;
  /** An admin's. */
  readonly token: string;
  /** By number. */
  readonly channelIds: readonly string[];
  /** Of the seals in it; synthetic, as all that it seals. */
  readonly secretKey: string;
}

const NAME = "bench_template";

/** Deliveries that were published before. */
const HISTORY = 20_000;
const SIGN_IN_TOGETHER = 50;
const Session = z.object({ handle: z.string(), token: z.string() });
export type Session = z.infer<typeof Session>;

/** One account of the platform a channel. */
export async function signIn(platformUrl: string, channels: number): Promise<Session[]> {
  const sessions: Session[] = [];
  while (sessions.length < channels) {
    const some = Math.min(SIGN_IN_TOGETHER, channels - sessions.length);
    const handles = Array.from({ length: some }, (_, index) => `@bench-${sessions.length + index}`);
    sessions.push(
      ...(await Promise.all(handles.map((handle) => openSession(platformUrl, handle)))),
    );
  }
  return sessions;
}

/** Fills a database that is copied for each run, so that every run finds the same. */
export async function createTemplate(
  serverUrl: string,
  sessions: readonly Session[],
): Promise<Template> {
  const url = await ensureDatabase(serverUrl, NAME);
  await migrate(url);
  const template = {
    name: NAME,
    workspaceId: uuidv7(),
    tokenId: uuidv7(),
    token: `${TOKEN_PREFIX}${randomBytes(24).toString("base64url")}`,
    channelIds: sessions.map(() => uuidv7()),
    secretKey: Buffer.alloc(32, 7).toString("base64"),
  };
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await fill(client, template, sessions);
    await addHistory(client, template, HISTORY);
    await client.query("vacuum analyze");
  } finally {
    await client.end();
  }
  return template;
}

async function fill(
  client: Client,
  { workspaceId, tokenId, token, channelIds, secretKey }: Template,
  sessions: readonly Session[],
): Promise<void> {
  const sealer = createSealer(Buffer.from(secretKey, "base64"));
  await client.query("insert into workspaces (id, name) values ($1, 'Bench')", [workspaceId]);
  await client.query(
    "insert into api_tokens (id, workspace_id, name, scope, token_hash) values ($1, $2, 'Bench', 'admin', $3)",
    [tokenId, workspaceId, tokenHash(token)],
  );
  const channels = sessions.map((session, index) => {
    const id = channelIds[index] ?? "";
    const sealed = sealer.seal(session, credentialsIdentity(id)).toString("hex");
    return { id, handle: session.handle, sealed };
  });
  await client.query(
    `insert into channels (id, workspace_id, platform, name, remote_account_id, handle, state, capabilities, sealed_credentials)
     select c.id, $1, $2, c.handle, c.handle, c.handle, 'connected', $3, decode(c.sealed, 'hex')
       from jsonb_to_recordset($4::jsonb) as c(id uuid, handle text, sealed text)`,
    [workspaceId, connector.id, JSON.stringify(connector.capabilities), JSON.stringify(channels)],
  );
}

async function openSession(platformUrl: string, handle: string): Promise<Session> {
  const response = await fetch(`${platformUrl}/api/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ handle }),
  });
  return Session.parse(await response.json());
}
