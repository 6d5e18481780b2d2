import * as z from "zod";
import { Capabilities } from "../connectors/capabilities.ts";

const JsonSchema = z.record(z.string(), z.unknown()).describe("JSON Schema, draft 2020-12.");

const Setting = z.object({
  name: z.string().describe("The environment variable."),
  isRequired: z.boolean(),
  isSet: z.boolean().describe("Whether this installation sets it. Its value is never shown."),
  schema: JsonSchema,
});

export const PlatformView = z
  .object({
    id: z.string(),
    name: z.string(),
    capabilities: Capabilities,
    can: z.object({
      removePosts: z.boolean(),
      readEngagement: z.boolean(),
      renewCredentials: z.boolean().describe("Whether Postwell renews a sign-in by itself."),
    }),
    feed: z
      .string()
      .nullable()
      .describe("Where its posts are seen, for a platform that Postwell hosts itself."),
    settings: z.array(Setting).describe("What the operator may set for this platform."),
    credentialsSchema: JsonSchema.describe("What `credentials` holds when a channel is connected."),
    connect: z
      .object({ method: z.literal("POST"), path: z.string(), body: JsonSchema })
      .describe("The request that connects a channel."),
  })
  .meta({ id: "Platform" });

export const PlatformListView = z.object({
  items: z.array(PlatformView),
  nextCursor: z.null().describe("There is one page."),
});

export type PlatformView = z.output<typeof PlatformView>;
