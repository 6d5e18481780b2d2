import { readFile } from "node:fs/promises";
import path from "node:path";
import { ChannelView } from "../../shared/contract/channel.ts";
import { ImportView } from "../../shared/contract/import.ts";
import { MediaView } from "../../shared/contract/media.ts";
import { PostView } from "../../shared/contract/post.ts";
import type { ApiClient } from "./api-client.ts";
import { ACCOUNT, CHANNELS } from "./channels.ts";
import type { Plan } from "./plan.ts";
import type { Screen } from "./screen.ts";
import type { Simulators } from "./simulators.ts";

/** What is planned, as the API knows it. */
export interface Stage {
  /** By the channel's name. */
  readonly channels: ReadonlyMap<string, ChannelView>;
  /** Ids of deliveries, by `<post> <channel's name>`; absent where the import made none. */
  readonly deliveryIds: ReadonlyMap<string, string>;
}

export function deliveryKey({ post, channel }: { post: string; channel: string }): string {
  return `${post} ${channel}`;
}

export interface Material {
  readonly plan: Plan;
  /** The folder with the images. */
  readonly imagesDir: string;
  readonly csvFile: string;
}

/** Connects the channels, uploads the images and imports the plan: all through the public API. */
export async function setTheStage(
  api: ApiClient,
  simulators: Simulators,
  material: Material,
  screen: Screen,
): Promise<Stage> {
  const channels = await connectChannels(api, simulators);
  screen.say(`  ${channels.size} channels connected`);
  for (const name of material.plan.images) {
    await api.upload("/media", await fileAt(path.join(material.imagesDir, name)), MediaView);
  }
  screen.say(`  ${material.plan.images.length} images uploaded`);
  const file = await fileAt(material.csvFile, "text/csv");
  const dry = await api.upload("/imports?dryRun=true", file, ImportView);
  screen.say(`  dry run of ${file.name}: ${dry.rows} rows, ${dry.errors.length} errors`);
  if (dry.errors.length > 0) throw new Error(`The plan has errors:\n${errorLines(dry)}`);
  const real = await api.upload("/imports", file, ImportView);
  const again = await api.upload("/imports", file, ImportView);
  screen.say(
    `  imported: ${real.created} posts; the same file again: ${again.created} more, ${again.existing} known already`,
  );
  return { channels, deliveryIds: await findDeliveries(api, channels) };
}

async function connectChannels(
  api: ApiClient,
  simulators: Simulators,
): Promise<ReadonlyMap<string, ChannelView>> {
  const channels = new Map<string, ChannelView>();
  for (const { name, platform } of CHANNELS) {
    const credentials = simulators.of(platform).account(ACCOUNT);
    channels.set(name, await api.post("/channels", { platform, name, credentials }, ChannelView));
  }
  return channels;
}

async function findDeliveries(
  api: ApiClient,
  channels: ReadonlyMap<string, ChannelView>,
): Promise<ReadonlyMap<string, string>> {
  const names = new Map([...channels].map(([name, { id }]) => [id, name]));
  const posts = await api.list("/posts", PostView);
  return new Map(
    posts.flatMap(({ externalId, deliveries }) =>
      deliveries.map(({ id, channelId }) => [
        deliveryKey({ post: externalId ?? "", channel: names.get(channelId) ?? "" }),
        id,
      ]),
    ),
  );
}

async function fileAt(file: string, type = "image/png"): Promise<File> {
  return new File([await readFile(file)], path.basename(file), { type });
}

function errorLines({ errors }: ImportView): string {
  return errors
    .slice(0, 10)
    .map(({ row, column, detail }) => `  row ${row}, ${column}: ${detail}`)
    .join("\n");
}
