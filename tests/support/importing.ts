import { beforeEach } from "@jest/globals";
import type { ImportView } from "../../shared/contract/import.ts";
import type { PostView } from "../../shared/contract/post.ts";
import type { ApiAnswer } from "./api-client.ts";
import type { ApiStack } from "./api-stack.ts";
import { aChannel } from "./builders.ts";

/** Where the clock stands. */
export const now = new Date("2027-01-15T12:00:00Z");

export const HEADER = "id,channel,time,zone,text";
export const row = (id: string, text = "Know your numbers.", time = "2027-02-01T09:00") =>
  `${id},Heart Center,${time},America/Chicago,${text}`;

type File = string | Uint8Array<ArrayBuffer>;

export interface ImportRefusal {
  readonly code: string;
  readonly errors: readonly { row: number; column: string; code: string; detail: string }[];
}

/** Files that are handed in, by what is expected of them. */
export interface Importing {
  readonly imported: (file: File) => Promise<ApiAnswer<ImportView>>;
  readonly dryRun: (file: File) => Promise<ApiAnswer<ImportView>>;
  readonly refused: (file: File) => Promise<ApiAnswer<ImportRefusal>>;
  /** All that there are. */
  readonly posts: () => Promise<PostView[]>;
}

/** Registers the hook that makes the channel which `row` names. */
export function importing(stack: ApiStack): Importing {
  beforeEach(async () => {
    await aChannel(stack.context, stack.client.actor, { name: "Heart Center" });
  });
  function send<Body>(file: File, query = ""): Promise<ApiAnswer<Body>> {
    const form = new FormData();
    form.set("file", new Blob([file]), "posts.csv");
    return stack.client.post<Body>(`/imports${query}`, form);
  }
  return {
    imported: (file) => send(file),
    dryRun: (file) => send(file, "?dryRun=true"),
    refused: (file) => send(file),
    async posts() {
      const { body } = await stack.client.get<{ items: PostView[] }>("/posts?limit=200");
      return body.items;
    },
  };
}
