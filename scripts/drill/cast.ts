import { readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import type { SealedMedium } from "../../shared/domain/post.ts";
import type { Stage } from "./stage.ts";

/** A channel of the drill. */
export interface DrillChannel {
  readonly id: string;
  readonly platform: string;
  /** On the platform. */
  readonly account: string;
}

/** Who and what the drill's posts are made of. */
export interface Cast {
  readonly workspaceId: string;
  readonly tokenId: string;
  /** By number. */
  readonly channels: readonly DrillChannel[];
  readonly image: { readonly id: string } & SealedMedium;
}

const Made = z.object({ id: z.uuid() });
const Image = z.object({ id: z.uuid(), sha256: z.string(), altText: z.string() });
const ALT_TEXT = "Somebody dials 911.";

/** Connects the channels and uploads the image, through the API. Platforms take turns. */
export async function assembleCast(stage: Stage): Promise<Cast> {
  const platforms = [...stage.platforms.urls.keys()];
  const channels: DrillChannel[] = [];
  for (let number = 0; number < stage.options.channels; number += 1) {
    const platform = platforms[number % platforms.length] ?? "";
    channels.push(await connect(stage, platform, `drill${number}`));
  }
  const [token] = await stage.database.rows<{ id: string; workspaceId: string }>(
    'select id, workspace_id as "workspaceId" from api_tokens limit 1',
  );
  if (!token) throw new Error("The api has made no token.");
  const { id: tokenId, workspaceId } = token;
  return { workspaceId, tokenId, channels, image: await uploadImage(stage) };
}

/** Fresh credentials for a channel that the platform no longer lets in. */
export async function reconnect(stage: Stage, channel: DrillChannel): Promise<boolean> {
  const credentials = await newCredentials(stage, channel.platform, channel.account);
  const path = `/api/v1/channels/${channel.id}`;
  const { wish } = await stage.api.wish("PATCH", path, { credentials });
  return wish === "done";
}

async function connect(stage: Stage, platform: string, account: string): Promise<DrillChannel> {
  const credentials = await newCredentials(stage, platform, account);
  const name = `${platform} ${account}`;
  const body = { platform, name, credentials };
  const { wish, answer } = await stage.api.wish("POST", "/api/v1/channels", body);
  if (wish !== "done") {
    throw new Error(`${name} was not connected: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return { id: Made.parse(answer.body).id, platform, account };
}

/** What is long and not an address is a secret. */
async function newCredentials(
  { platforms, secrets }: Stage,
  platform: string,
  account: string,
): Promise<Readonly<Record<string, unknown>>> {
  const credentials = await platforms.account(platform, account);
  for (const [name, value] of Object.entries(credentials)) {
    if (/token|password|secret/i.test(name) && typeof value === "string") secrets.push(value);
  }
  return credentials;
}

async function uploadImage({ api }: Stage): Promise<Cast["image"]> {
  const file = await readFile(path.join(PROJECT_ROOT, "examples/images/call-911.png"));
  const form = new FormData();
  form.set("file", new Blob([new Uint8Array(file)], { type: "image/png" }), "call-911.png");
  form.set("altText", ALT_TEXT);
  const { status, body } = await api.upload("/api/v1/media", form);
  if (status !== 201) throw new Error(`The image was refused: ${status} ${JSON.stringify(body)}`);
  return Image.parse(body);
}
