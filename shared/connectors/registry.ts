import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Connector } from "./connector.ts";

/** The platforms of this installation, by id. */
export type Registry = ReadonlyMap<string, Connector>;

/** Finds each platform by its folder beside this file, so that adding one touches nothing else. */
export async function loadConnectors(): Promise<Registry> {
  const here = import.meta.dirname;
  const extension = path.extname(import.meta.filename);
  const entries = await readdir(here, { withFileTypes: true });
  const ids = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const registry = new Map<string, Connector>();
  for (const id of ids.sort()) {
    const { connector }: { connector: Connector } = await import(`./${id}/index${extension}`);
    if (connector.id !== id) {
      throw new Error(
        `shared/connectors/${id} exports a connector that calls itself ${connector.id}`,
      );
    }
    registry.set(id, connector);
  }
  return registry;
}
