import * as z from "zod";
import type { MastodonCall } from "./access.ts";
import { refusal } from "./errors.ts";
import { plainText } from "./markup.ts";
import { ask } from "./request.ts";
import { withShortMentions } from "./text.ts";

const Source = z.object({ id: z.string(), text: z.string() });

/** Whether a post's HTML could come from this text. HTML does not keep every line end, so white space cannot count. */
export function looksLike(html: string, text: string): boolean {
  return withoutSpace(plainText(html)) === withoutSpace(withShortMentions(text));
}

/**
 * Whether a post was written with exactly this text, by its source: servers keep what was sent beside the HTML (since 3.5).
 * Null where the server does not give it.
 * Source: https://docs.joinmastodon.org/methods/statuses/#source (read 2026-11-22)
 */
export async function isWrittenAs(
  id: string,
  text: string,
  call: MastodonCall,
): Promise<boolean | null> {
  const path = `/api/v1/statuses/${encodeURIComponent(id)}/source`;
  const answer = await ask(call, { method: "GET", path }, "read");
  const source = Source.safeParse(answer.json);
  if (answer.status === 200 && source.success) {
    return canonical(source.data.text) === canonical(text);
  }
  const hasFailed = answer.status === 401 || answer.status === 429 || answer.status >= 500;
  if (hasFailed) throw refusal(answer, "read", call.now());
  return null;
}

function canonical(text: string): string {
  return text.normalize("NFC").replaceAll("\r\n", "\n").trim();
}

function withoutSpace(text: string): string {
  return text.normalize("NFC").replace(/\s+/g, "");
}
