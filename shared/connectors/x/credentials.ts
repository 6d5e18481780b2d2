import * as z from "zod";

/** The real platform; every other base URL leads to a stand-in for it. */
const REAL_BASE_URL = "https://api.x.com";

/** Operator settings: where the API is, and the developer app on whose behalf tokens are renewed. */
export const Settings = z.object({
  /** An origin without a path, because the library decides on paths. */
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .refine((url) => new URL(url).pathname === "/", "Give the address without a path.")
    .transform((url) => new URL(url).origin)
    .default(REAL_BASE_URL),
  clientId: z.string().min(1).optional(),
  /** Absent for a public client, which proves itself by its id alone. */
  clientSecret: z.string().min(1).optional(),
});

export type Settings = z.infer<typeof Settings>;

/** Visible ASCII: anything else cannot stand in an HTTP header. */
const Token = z
  .string()
  .regex(/^[\x21-\x7e]+$/, "A token has no spaces, no line breaks and no accents.");

/** What a channel needs to publish. The last three are found out by `connect` and `renew`. */
export const Credentials = z.object({
  accessToken: Token,
  /** Single use: each renewal returns the next one. Null where the app did not ask for `offline.access`. */
  refreshToken: Token.nullable().default(null),
  /** ISO 8601; null where it is not known when the access token ends (X: two hours after issue). */
  expiresAt: z.iso.datetime({ offset: true }).nullable().default(null),
  userId: z.string().regex(/^\d+$/).nullable().default(null),
  /** Without the `@`. */
  handle: z.string().regex(/^\w+$/).nullable().default(null),
  /** As granted, which may be less than was asked for; null where X has not told yet. */
  scopes: z.array(z.string()).nullable().default(null),
});

export type Credentials = z.infer<typeof Credentials>;
