import * as z from "zod";
import { Capabilities } from "../connectors/capabilities.ts";
import { hasVisible } from "../domain/post-limits.ts";
import { FAILURES } from "../domain/failure.ts";

const Name = z
  .string()
  .trim()
  .max(200)
  .refine(hasVisible, "says nothing")
  .describe("For people; unique in the workspace.");

const Credentials = z
  .record(z.string(), z.unknown())
  .describe(
    "As the platform's `credentialsSchema` says. Sealed at rest and never given out again.",
  );

/** `POST /api/v1/channels` */
export const ConnectChannelRequest = z.strictObject({
  platform: z.string().max(60).describe("Id of a platform, as in `GET /api/v1/platforms`."),
  name: Name,
  credentials: Credentials.default({}),
});

/** `PATCH /api/v1/channels/{id}`: what is absent stays as it is. */
export const UpdateChannelRequest = z
  .strictObject({
    name: Name.optional(),
    credentials: Credentials.optional().describe(
      "New credentials for the same account. They are proven first, and replace the old ones as a whole.",
    ),
  })
  .refine((body) => Object.keys(body).length > 0, "names nothing to change");

/** Narrows `GET /api/v1/channels`. */
export const ChannelFilter = z.object({
  platform: z.string().max(60).optional(),
  state: z.enum(["connected", "needs_attention"]).optional(),
});

const AttentionView = z.object({
  kind: z.enum(Object.keys(FAILURES)),
  title: z.string(),
  detail: z.string().describe("The platform's own error where it gave one, then what to do."),
});

export const ChannelView = z
  .object({
    id: z.uuid(),
    platform: z.string(),
    name: z.string(),
    handle: z.string().describe("As people write it on the platform."),
    remoteAccountId: z.string().describe("The account's stable id on the platform."),
    state: z.enum(["connected", "needs_attention"]),
    attention: AttentionView.nullable().describe("Why a person is needed; null where none is."),
    capabilities: Capabilities.describe("What this account can do."),
    signInEndsAt: z.iso
      .datetime()
      .nullable()
      .describe(
        "When the sign-in stops working unless it is renewed; null where that is not known.",
      ),
    signInRenews: z
      .boolean()
      .describe(
        "Postwell renews the sign-in before its end. Where false, a person has to reconnect.",
      ),
    waitUntil: z.iso
      .datetime()
      .nullable()
      .describe("The platform told us to publish nothing before this instant."),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "Channel" });

export type ConnectChannelRequest = z.output<typeof ConnectChannelRequest>;
export type UpdateChannelRequest = z.output<typeof UpdateChannelRequest>;
export type ChannelFilter = z.output<typeof ChannelFilter>;
export type ChannelView = z.output<typeof ChannelView>;
