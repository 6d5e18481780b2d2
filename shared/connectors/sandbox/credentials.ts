import * as z from "zod";
import { HANDLE } from "./network/sessions.ts";

const DEFAULT_HANDLE = "@postwell";

/** Nothing is needed: `connect` fills in what is absent. */
export const Credentials = z.strictObject({
  /** The name under which posts appear. */
  handle: z.string().regex(HANDLE).default(DEFAULT_HANDLE),
  /** From the network's sign-in. */
  token: z.string().min(1).optional(),
});

export type Credentials = z.infer<typeof Credentials>;

const Address = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ""));

export const Settings = z
  .object({
    /** Where Postwell itself is reached, with the network's path. */
    baseUrl: Address.default("http://127.0.0.1:3000/sandbox"),
    /** The same as people's browsers reach it, for permalinks; `baseUrl` where absent. */
    publicUrl: Address.optional(),
    /** Without it nothing can be published. */
    hostKey: z.string().min(16).optional().describe("Comes from Postwell itself; leave it out."),
  })
  .transform(({ publicUrl, ...settings }) => ({
    ...settings,
    publicUrl: publicUrl ?? settings.baseUrl,
  }));

export type Settings = z.infer<typeof Settings>;
