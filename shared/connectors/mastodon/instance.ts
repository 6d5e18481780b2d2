import * as z from "zod";
import { ConnectorError } from "../error.ts";
import type { MastodonCall } from "./access.ts";
import { DEFAULT_LIMITS, type Limits } from "./capabilities.ts";
import { ask, read } from "./request.ts";

export interface Instance {
  /** What follows the second `@` of a handle; it may differ from the host that answers. */
  readonly domain: string;
  readonly limits: Limits;
}

/** Servers that leave a limit out, or say something odd, get the ordinary one. */
const limit = (fallback: number, max: number) => z.int().positive().max(max).catch(fallback);

const Statuses = z.object({
  max_characters: limit(DEFAULT_LIMITS.maxCharacters, 1_000_000),
  max_media_attachments: z.int().nonnegative().max(100).catch(DEFAULT_LIMITS.maxImages),
  characters_reserved_per_url: limit(23, 1_000).nullable(),
});

const MediaAttachments = z.object({
  supported_mime_types: z.array(z.string()).catch([...DEFAULT_LIMITS.imageTypes]),
  image_size_limit: limit(DEFAULT_LIMITS.maxImageBytes, 1_000_000_000),
  description_limit: limit(DEFAULT_LIMITS.maxDescription, 1_000_000),
});

const Configuration = z.object({
  statuses: Statuses.catch(Statuses.parse({})),
  media_attachments: MediaAttachments.catch(MediaAttachments.parse({})),
});

/** Version 2 exists since 4.0. */
const InstanceV2 = z.object({
  domain: z.string().min(1),
  configuration: Configuration.catch(Configuration.parse({})),
});

/** Forks that are older than `configuration` say `max_toot_chars`. */
const InstanceV1 = z.object({
  uri: z.string().min(1),
  max_toot_chars: z.int().positive().optional().catch(undefined),
  configuration: Configuration.optional().catch(undefined),
});

/**
 * Reads what the server allows.
 * Source: https://docs.joinmastodon.org/entities/Instance/ and V1_Instance (read 2026-11-22)
 * @throws {ConnectorError} `unavailable` where neither version of the description can be read
 */
export async function readInstance(call: MastodonCall): Promise<Instance> {
  const answer = await ask(call, { method: "GET", path: "/api/v2/instance" }, "read");
  const v2 = answer.status === 200 ? InstanceV2.safeParse(answer.json) : null;
  if (v2?.success) return { domain: v2.data.domain, limits: limitsOf(v2.data.configuration) };
  // Below 500 the server works and knows no version 2, whatever page it shows for that.
  if (answer.status >= 500)
    throw new ConnectorError("unavailable", { platformCode: String(answer.status) });
  const v1 = await read(call, "/api/v1/instance", InstanceV1);
  return { domain: hostOf(v1.uri), limits: limitsOf(configurationOf(v1)) };
}

function configurationOf(v1: z.infer<typeof InstanceV1>): z.infer<typeof Configuration> {
  if (v1.configuration) return v1.configuration;
  return Configuration.parse({ statuses: { max_characters: v1.max_toot_chars } });
}

function limitsOf({ statuses, media_attachments: media }: z.infer<typeof Configuration>): Limits {
  return {
    maxCharacters: statuses.max_characters,
    linkLength: statuses.characters_reserved_per_url,
    maxImages: statuses.max_media_attachments,
    imageTypes: media.supported_mime_types.filter(isStillImage),
    maxImageBytes: media.image_size_limit,
    maxDescription: media.description_limit,
  };
}

function isStillImage(type: string): boolean {
  return type.startsWith("image/") && type !== "image/gif";
}

/** Some servers give an address where the documentation says a host. */
function hostOf(uri: string): string {
  return URL.canParse(uri) ? new URL(uri).host || uri : uri;
}
