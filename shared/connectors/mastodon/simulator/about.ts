import { DESCRIPTION_LIMIT, IMAGE_SIZE_LIMIT, MIME_TYPES } from "./media.ts";
import type { ServerOptions } from "./options.ts";
import { refused, type Reply } from "./reply.ts";
import type { Exchange, Server } from "./exchange.ts";

const DOMAIN = "social.example";

export function readAccount(server: Server, { account }: Exchange): Reply {
  const { id, username, name } = account;
  const url = `${server.url()}/@${username}`;
  return { status: 200, json: { id, username, acct: username, display_name: name, url } };
}

export function readInstanceV2({ options }: Server): Reply {
  if (options.version < 4) return refused(404, "The page you are looking for isn't here.");
  return {
    status: 200,
    json: {
      domain: DOMAIN,
      title: "Simulated Mastodon",
      version: `${options.version}.0`,
      configuration: configurationOf(options),
      api_versions: { mastodon: options.version >= 4.5 ? 7 : 2 },
    },
  };
}

export function readInstanceV1({ options }: Server): Reply {
  return {
    status: 200,
    json: {
      uri: DOMAIN,
      title: "Simulated Mastodon",
      version: `${options.version}.0`,
      ...(options.version >= 3.4
        ? { configuration: configurationOf(options) }
        : { max_toot_chars: options.maxCharacters }),
    },
  };
}

function configurationOf(options: ServerOptions): object {
  return {
    statuses: {
      max_characters: options.maxCharacters,
      max_media_attachments: options.maxMedia,
      characters_reserved_per_url: options.reservedPerUrl,
    },
    media_attachments: {
      supported_mime_types: [...MIME_TYPES, "video/mp4", "audio/mpeg"],
      image_size_limit: IMAGE_SIZE_LIMIT,
      image_matrix_limit: 33_177_600,
      video_size_limit: 103_809_024,
      ...(options.version >= 4.4 && { description_limit: DESCRIPTION_LIMIT }),
    },
  };
}
