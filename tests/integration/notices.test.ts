import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { NoticeView } from "../../shared/contract/notice.ts";
import { flagChannel } from "../../shared/db/channel-health.ts";
import { moveDelivery } from "../../shared/db/deliveries.ts";
import type { DeliveryState } from "../../shared/domain/delivery.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { aChannel, aDelivery } from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

interface Page {
  readonly items: readonly NoticeView[];
  readonly nextCursor: string | null;
}

let opened: TestContext;
let api: TestApi;
let admin: ApiClient;
let author: ApiClient;
let channel: { id: string; platform: string };

beforeAll(async () => {
  opened = await createTestContext();
  api = await startApi(opened.context);
});

beforeEach(async () => {
  admin = await api.signIn();
  author = await api.signIn({ scope: "author", workspaceId: admin.actor.workspaceId });
  channel = await aChannel(opened.context, admin.actor);
});

afterAll(async () => {
  await api.close();
  await opened.close();
});

const notices = async (client: ApiClient, query = "") =>
  (await client.get<Page>(`/notices${query}`)).body;

async function stopped(
  state: DeliveryState,
  { client = author, nextAt = null }: { client?: ApiClient; nextAt?: Date | null } = {},
): Promise<string> {
  const stored = { state: "preparing", nextAt: new Date() } as const;
  const { id } = await aDelivery(opened.context, client.actor, channel, stored);
  await move(id, state, nextAt);
  return id;
}

async function move(id: string, to: DeliveryState, nextAt: Date | null): Promise<void> {
  const { version } = await opened.db
    .selectFrom("deliveries")
    .select("version")
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  const error = { kind: "bug", platformMessage: "secret words", platformCode: null } as const;
  const rest = { tries: 0, looks: 0, answer: null };
  await moveDelivery(opened.db, { deliveryId: id, version, to, nextAt, error, ...rest });
}

describe("notices", () => {
  test.each(["failed", "missed", "held", "unknown", "partial"] as const)(
    "tell of a delivery that is %s and waits for a person",
    async (state) => {
      const id = await stopped(state);

      for (const client of [author, admin]) {
        expect(await notices(client)).toEqual({
          items: [
            {
              id: expect.any(String),
              kind: `delivery.${state}`,
              title: expect.any(String),
              subjectId: id,
              reason: "bug",
              addedAt: expect.any(String),
              readAt: null,
            },
          ],
          nextCursor: null,
        });
      }
    },
  );

  test("do not tell of what a worker goes on with", async () => {
    await stopped("unknown", { nextAt: new Date() });
    await stopped("partial", { nextAt: new Date() });

    expect((await notices(admin)).items).toEqual([]);
  });

  test("tell authors of their own posts only", async () => {
    await stopped("failed", { client: admin });

    expect((await notices(author)).items).toEqual([]);
    expect((await notices(admin)).items).toHaveLength(1);
  });

  test("tell once of the same state under the same plan", async () => {
    const id = await stopped("failed");
    await move(id, "scheduled", new Date());
    await move(id, "failed", null);
    await opened.db
      .updateTable("deliveries")
      .set({ latestAt: new Date("2030-01-01T00:00:00Z") })
      .where("id", "=", id)
      .execute();
    expect((await notices(author)).items).toHaveLength(1);

    await move(id, "scheduled", new Date());
    await move(id, "failed", null);

    expect((await notices(author)).items).toHaveLength(2);
  });

  test("are announced as events, with nothing but their id", async () => {
    await stopped("failed");

    const [{ id } = { id: "" }] = (await notices(author)).items;
    const event = await opened.db
      .selectFrom("events")
      .select(["type", "workspaceId"])
      .where("subjectId", "=", id)
      .execute();
    expect(event).toEqual([{ type: "notice.added", workspaceId: author.actor.workspaceId }]);
  });

  test("are not made for tokens that have ended", async () => {
    const { tokenId } = author.actor;
    await opened.db
      .updateTable("apiTokens")
      .set({ revokedAt: new Date() })
      .where("id", "=", tokenId)
      .execute();

    await stopped("failed");

    const made = await opened.db
      .selectFrom("notices")
      .select("id")
      .where("recipientId", "=", tokenId)
      .execute();
    expect(made).toEqual([]);
  });

  test("come in pages, newest first", async () => {
    const ids = [await stopped("failed"), await stopped("missed"), await stopped("held")];

    const first = await notices(author, "?limit=2");
    const second = await notices(author, `?limit=2&cursor=${first.nextCursor}`);

    const seen = [...first.items, ...second.items].map(({ subjectId }) => subjectId);
    expect(seen).toEqual(ids.toReversed());
    expect(second.nextCursor).toBeNull();
  });

  test("refuse a cursor that is none", async () => {
    expect(await author.get("/notices?cursor=x")).toMatchObject({
      status: 400,
      body: { code: "request.bad_cursor" },
    });
  });
});

describe("reading a notice", () => {
  test("takes it from the unread ones, and can be repeated", async () => {
    await stopped("failed");
    const [{ id } = { id: "" }] = (await notices(author, "?unread=true")).items;

    const once = await author.post<NoticeView>(`/notices/${id}/read`);
    const twice = await author.post<NoticeView>(`/notices/${id}/read`);

    expect(once).toMatchObject({ status: 200, body: { id, readAt: expect.any(String) } });
    expect(twice.body).toEqual(once.body);
    expect((await notices(author, "?unread=true")).items).toEqual([]);
    expect((await notices(author)).items).toHaveLength(1);
    expect((await notices(admin, "?unread=true")).items).toHaveLength(1);
  });

  test("is for one's own alone", async () => {
    await stopped("failed");
    const [{ id } = { id: "" }] = (await notices(author)).items;
    const stranger = await api.signIn();

    for (const client of [admin, stranger]) {
      expect(await client.post(`/notices/${id}/read`)).toMatchObject({
        status: 404,
        body: { code: "notice.missing" },
      });
    }
  });

  test("is all that changes: a notice is neither altered nor deleted", async () => {
    await stopped("failed");

    const altered = opened.db.updateTable("notices").set({ kind: "delivery.held" }).execute();
    await expect(altered).rejects.toThrow(/append-only/);
    await expect(opened.db.deleteFrom("notices").execute()).rejects.toThrow(/append-only/);
  });
});

describe("a refusal from before somebody signed in again", () => {
  test("says nothing about the new sign-in", async () => {
    const attention = { kind: "reauthorize", title: "t", detail: "d" } as const;
    const before = new Date(opened.context.now().getTime() - 60_000);

    await flagChannel(opened.db, channel.id, attention, before);

    const { body } = await admin.get(`/channels/${channel.id}`);
    expect(body).toMatchObject({ state: "connected", signInEndsAt: null, signInRenews: false });
  });
});
