import { createHmac } from "node:crypto";
import path from "node:path";
import { type Config, ConfigError, platformSettings } from "./config.ts";
import type { Connector } from "./connectors/connector.ts";
import { loadConnectors, type Registry } from "./connectors/registry.ts";
import { clock, openDb, type Db } from "./db/client.ts";
import type { Scope } from "./domain/permission.ts";
import type { Logger } from "./logger.ts";
import { folderMediaStore, type MediaStore } from "./media-store.ts";
import { createFetch } from "./outgoing.ts";
import { createSealer, type Sealer } from "./sealing.ts";

/** Everything outside that the code needs, given as the first argument. Tests replace single members. */
export interface Context {
  readonly config: Config;
  readonly db: Db;
  readonly log: Logger;
  readonly connectors: Registry;
  /** Operator settings, by platform. */
  readonly settings: ReadonlyMap<string, unknown>;
  readonly fetch: typeof fetch;
  /** The domain's time by the last reading of the database's clock; SQL uses `clock()` itself. UTC. */
  readonly now: () => Date;
  /** Takes over a reading of the database's clock that came with some other answer. */
  readonly observeClock: (now: Date) => void;
  readonly sealer: Sealer;
  readonly media: MediaStore;
}

/** On whose behalf something is done. */
export interface Actor {
  readonly workspaceId: string;
  readonly tokenId: string;
  readonly scope: Scope;
}

/** A context and what keeps it going. */
export interface OpenContext {
  readonly context: Context;
  /** Reads the database's clock again. */
  readonly syncClock: () => Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens what a process needs.
 * @param name of the process, seen in PostgreSQL's list of connections
 * @throws {ConfigError} for a bad setting of a platform
 */
export async function openContext(config: Config, log: Logger, name: string): Promise<OpenContext> {
  const connectors = await loadConnectors();
  const settings = new Map<string, unknown>();
  for (const connector of connectors.values()) {
    const parsed = connector.settings.safeParse(settingsFor(connector, config));
    if (!parsed.success) {
      const names = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
      throw new ConfigError(
        `A setting of the platform ${connector.id} is wrong: ${names.join("; ")}.`,
      );
    }
    settings.set(connector.id, parsed.data);
  }
  const db = openDb(config.databaseUrl, {
    name,
    onIdleError: (error) =>
      log.warn({ code: "code" in error ? error.code : undefined }, "database connection lost"),
  });
  let aheadMs = 0;
  const observeClock = (now: Date): void => {
    aheadMs = now.getTime() - Date.now();
  };
  return {
    context: {
      config,
      db,
      log,
      connectors,
      settings,
      fetch: createFetch({
        allowPrivateHosts: [...config.allowPrivateHosts, ...ownHosts(settings)],
      }),
      now: () => new Date(Date.now() + aheadMs),
      observeClock,
      sealer: createSealer(config.secretKey),
      media: folderMediaStore(path.join(config.dataDir, "media")),
    },
    syncClock: async () => observeClock(await clock(db)),
    close: () => db.destroy(),
  };
}

/** What the operator has set and, where we host the platform, where that is and the key by which it knows us. */
function settingsFor(connector: Connector, config: Config): Record<string, string> {
  const { id } = connector;
  const given = platformSettings(config, id);
  if (connector.host === undefined) return given;
  const hostKey = createHmac("sha256", config.secretKey).update(`host/${id}`).digest("base64url");
  return { baseUrl: `http://127.0.0.1:${config.port}/${id}`, hostKey, ...given };
}

/** The operator wrote these addresses, so they may be private. */
function ownHosts(settings: ReadonlyMap<string, unknown>): string[] {
  return [...settings.values()].flatMap((value) => {
    const url =
      typeof value === "object" && value !== null && "baseUrl" in value ? value.baseUrl : null;
    return typeof url === "string" && URL.canParse(url) ? [new URL(url).host] : [];
  });
}
