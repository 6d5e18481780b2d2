import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { addEvents } from "../../shared/db/events.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { aPost } from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

let opened: TestContext;
let api: TestApi;

beforeAll(async () => {
  opened = await createTestContext();
  api = await startApi(opened.context);
});

afterAll(async () => {
  await api.close();
  await opened.close();
});

interface Message {
  readonly id: string | null;
  readonly data: { type: string; id: string } | null;
}

interface Stream {
  /** The next message, waited for. */
  next(): Promise<Message>;
  /** True when the server has ended it. */
  isOver(): Promise<boolean>;
  close(): Promise<void>;
}

async function follow(client: ApiClient, headers: Record<string, string> = {}): Promise<Stream> {
  const { authorization } = client;
  const stop = new AbortController();
  const response = await api.fetch("/api/v1/events", {
    headers: { authorization, ...headers },
    signal: stop.signal,
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  if (!response.body) throw new Error("no body");
  const messages = messagesOf(response.body);
  return {
    async next() {
      const { value } = await messages.next();
      if (!value) throw new Error("the stream is over");
      return value;
    },
    isOver: async () => (await messages.next()).done === true,
    close: async () => stop.abort(),
  };
}

async function* messagesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Message, undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      yield readMessage(text.slice(0, end));
      text = text.slice(end + 2);
    }
  }
  return undefined;
}

function readMessage(text: string): Message {
  const data = /^data: (.*)$/m.exec(text)?.[1];
  return {
    id: /^id: (.*)$/m.exec(text)?.[1] ?? null,
    data: data === undefined ? null : JSON.parse(data),
  };
}

test("tells what changes from now on, and of this workspace only", async () => {
  const client = await api.signIn();
  const stranger = await api.signIn();
  await aPost(opened.context, client.actor);
  const stream = await follow(client);
  await stream.next();

  await aPost(opened.context, stranger.actor);
  const { id } = await aPost(opened.context, client.actor);

  expect((await stream.next()).data).toEqual({ type: "post.created", id });
  await stream.close();
});

test("goes on where a client was cut off, and misses nothing", async () => {
  const client = await api.signIn();
  const first = await follow(client);
  const { id: cursor } = await first.next();
  await first.close();
  const made = [
    await aPost(opened.context, client.actor),
    await aPost(opened.context, client.actor),
  ];

  const second = await follow(client, { "last-event-id": cursor ?? "" });
  const messages = [await second.next(), await second.next(), await second.next()];

  // Cut off right after the first message, a client must come back with the cursor that it had.
  expect(messages[0]).toEqual({ id: cursor, data: null });
  expect(messages.flatMap(({ data }) => data ?? [])).toEqual(
    made.map(({ id }) => ({ type: "post.created", id })),
  );
  await second.close();
});

test("says where to go on before anything has happened", async () => {
  const client = await api.signIn();

  const stream = await follow(client);

  expect(await stream.next()).toEqual({ id: expect.stringMatching(/^\d+-\d+$/), data: null });
  await stream.close();
});

test("does not overtake a transaction that is still going on", async () => {
  const client = await api.signIn();
  const { workspaceId } = client.actor;
  const stream = await follow(client);
  await stream.next();
  const subjectId = workspaceId;

  await opened.db.transaction().execute(async (slow) => {
    await addEvents(slow, [{ workspaceId, type: "slow.first", subjectId }]);
    await opened.db.transaction().execute(async (fast) => {
      await addEvents(fast, [{ workspaceId, type: "fast.second", subjectId }]);
    });
  });

  const types = [(await stream.next()).data?.type, (await stream.next()).data?.type];
  expect(types).toEqual(["slow.first", "fast.second"]);
  await stream.close();
});

test("refuses a cursor that it did not give out", async () => {
  const client = await api.signIn();

  const answer = await client.get("/events", { "last-event-id": "yesterday" });

  expect(answer).toMatchObject({ status: 400, body: { code: "request.invalid" } });
});

test("ends when the process is to stop", async () => {
  const client = await api.signIn();
  const other = await startApi(opened.context);
  const { authorization } = client;
  const response = await other.fetch("/api/v1/events", { headers: { authorization } });
  const reader = response.body?.getReader();
  await reader?.read();

  other.beginClosing();

  expect((await reader?.read())?.done).toBe(true);
  await other.close();
});

test("refuses a cursor of a stream that went further, as before a backup was restored", async () => {
  const client = await api.signIn();
  const cursor = "999999999999-7";

  for (const [answer, path] of [
    [await client.get(`/events?lastEventId=${cursor}`), "lastEventId"],
    [await client.get("/events", { "last-event-id": cursor }), "header.Last-Event-ID"],
  ] as const) {
    expect(answer).toMatchObject({
      status: 400,
      body: { code: "events.cursor_ahead", errors: [{ path }] },
    });
  }
});
