import { describe, expect, test } from "@jest/globals";
import { Credentials } from "../../../shared/connectors/x/credentials.ts";
import { connector } from "../../../shared/connectors/x/index.ts";
import { DAY_MS, aPart, anImage, failure, publish, useX } from "../../support/x.ts";

const stage = useX();

describe("images", () => {
  test("go up before the post, in order, each with its own alt text", async () => {
    const call = await stage.connected();
    const media = [
      anImage("a", "A heart"),
      anImage("b"),
      anImage("c", "A scale"),
      anImage("d", "A walk"),
    ];

    await publish(call, aPart({ media }));

    expect(stage.x.posts()[0]?.altTexts).toEqual(["A heart", "", "A scale", "A walk"]);
    expect(stage.x.requests().at(-1)).toBe("POST /2/tweets");
  });

  test("of several megabytes go up in segments", async () => {
    await publish(await stage.connected(), aPart({ media: [anImage("a", "", 4_900_000)] }));

    expect(stage.x.requests().filter((request) => request.endsWith("/append"))).toHaveLength(2);
  });

  test("may be a post without a text", async () => {
    await publish(await stage.connected(), aPart({ text: "", media: [anImage("a", "A heart")] }));

    expect(stage.x.posts()).toMatchObject([{ text: "", altTexts: ["A heart"] }]);
  });

  test("are waited for until the platform has processed them", async () => {
    const call = await stage.connected();
    stage.x.fault("upload_processing", 1);

    await publish(call, aPart({ media: [anImage("a", "A heart")] }));

    expect(stage.x.requests().filter((request) => request === "GET /2/media/upload")).toHaveLength(
      3,
    );
    expect(stage.x.posts()).toHaveLength(1);
  });

  test("are not waited for beyond the signal", async () => {
    const call = await stage.connected();
    stage.x.trap("processing_stuck", 1);
    const signal = AbortSignal.timeout(100);

    const error = await failure(
      connector.prepare(aPart({ media: [anImage("a")] }), null, { ...call, signal }),
    );

    expect(error.kind).toBe("unavailable");
  });

  test("are uploaded once for all attempts, and again before they end", async () => {
    const call = await stage.connected();
    const part = aPart({ media: [anImage("a", "A heart")] });
    const first = await connector.prepare(part, null, call);

    const before = stage.x.requests().length;
    expect(await connector.prepare(part, first, call)).toEqual(first);
    expect(stage.x.requests()).toHaveLength(before);

    stage.later(DAY_MS);
    const fresh = { ...call, credentials: Credentials.parse(stage.x.account("heart")) };
    const second = await connector.prepare(part, first, fresh);
    expect(second.media[0]?.remoteId).not.toBe(first.media[0]?.remoteId);
    expect((await failure(connector.commit(part, first, fresh))).kind).toBe("media_invalid");
    await connector.commit(part, second, fresh);
    expect(stage.x.posts()).toHaveLength(1);
  });

  test("that are described anew are uploaded anew", async () => {
    const call = await stage.connected();
    const first = await connector.prepare(aPart({ media: [anImage("a", "A hart")] }), null, call);
    const part = aPart({ media: [anImage("a", "A heart")] });

    await connector.commit(part, await connector.prepare(part, first, call), call);

    expect(stage.x.posts()[0]?.altTexts).toEqual(["A heart"]);
  });

  test("that the platform finds broken are a matter of the image", async () => {
    const call = await stage.connected();
    stage.x.fault("upload_invalid", 1);

    expect(await failure(publish(call, aPart({ media: [anImage("a")] })))).toMatchObject({
      kind: "media_invalid",
      platformMessage: "The file is not a valid image.",
    });
  });

  test("that our own store cannot read may be tried again", async () => {
    const broken = { ...anImage("a"), read: () => Promise.reject(new Error("disk")) };

    const error = await failure(publish(await stage.connected(), aPart({ media: [broken] })));

    expect(error).toMatchObject({ kind: "unavailable", platformCode: "media_unreadable" });
  });
});
