import { randomUUID } from "node:crypto";
import type { Documents } from "../connector.ts";

/** Documents that live as long as the process, for the simulator and for tests. `list` gives the newest. */
export function documentsInMemory(now: () => Date = () => new Date()): Documents {
  const stored = new Map<string, { id: string; addedAt: Date; document: unknown }>();
  return {
    async add(document) {
      const id = randomUUID();
      stored.set(id, { id, addedAt: now(), document });
      return id;
    },
    async list(limit) {
      return [...stored.values()].slice(-limit);
    },
    async find(id) {
      return stored.get(id) ?? null;
    },
    async replace(id, document) {
      const before = stored.get(id);
      if (before) stored.set(id, { ...before, document });
    },
    async remove(id) {
      stored.delete(id);
    },
  };
}
