import { randomUUID } from "node:crypto";
import type { Documents, HostedDocument } from "../connector.ts";

/** Documents that live as long as the process, for the simulator and for tests. */
export function documentsInMemory(now: () => Date = () => new Date()): Documents {
  const stored = new Map<string, HostedDocument>();
  return {
    async add(document, { kind, id = randomUUID() }) {
      const before = stored.get(id);
      if (before) return { ...before, isNew: false };
      const added = { id, kind, addedAt: now(), document };
      stored.set(id, added);
      return { ...added, isNew: true };
    },
    async list(kind, limit) {
      const all = [...stored.values()].filter((one) => one.kind === kind);
      return all.reverse().slice(0, limit);
    },
    async find(id) {
      return stored.get(id) ?? null;
    },
    async change(id, to) {
      const before = stored.get(id);
      if (before) stored.set(id, { ...before, ...to });
      return before !== undefined;
    },
    async remove(id) {
      stored.delete(id);
    },
    async removeOlder(kind, ageMs) {
      const end = now().getTime() - ageMs;
      for (const one of stored.values()) {
        if (one.kind === kind && one.addedAt.getTime() < end) stored.delete(one.id);
      }
    },
  };
}
