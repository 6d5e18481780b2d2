import * as z from "zod";
import type { Fault } from "../../simulator.ts";
import { trouble } from "./trouble.ts";

/** Looks that a slow picture needs before it is ready. */
const LOOKS = 2;

const Stored = z.object({ id: z.string() });

/** Uploads with their faults. A picture that is "processed" is in truth there from the start. */
export function createUploads(take: (name: Fault) => boolean): {
  upload(store: () => Promise<Response>): Promise<Response>;
  look(id: string, read: () => Promise<Response>): Promise<Response>;
} {
  const looksLeft = new Map<string, number>();
  const processing = (id: string) =>
    Response.json({ id, state: "processing", lookAgainAfterMs: 1 }, { status: 202 });

  return {
    async upload(store) {
      if (take("upload_unavailable")) return trouble(503, "down");
      if (take("upload_invalid")) return trouble(422, "picture_invalid");
      const stored = await store();
      if (!stored.ok || !take("upload_processing")) return stored;
      const { id } = Stored.parse(await stored.json());
      looksLeft.set(id, LOOKS);
      return processing(id);
    },
    async look(id, read) {
      const left = looksLeft.get(id) ?? 0;
      looksLeft.set(id, left - 1);
      return left > 0 ? processing(id) : read();
    },
  };
}
