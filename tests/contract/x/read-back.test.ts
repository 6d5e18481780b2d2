import { describe, expect, test } from "@jest/globals";
import { connector } from "../../../shared/connectors/x/index.ts";
import { anImage, aPart, DAY_MS, failure, publish, useX, type XCall } from "../../support/x.ts";

const stage = useX();

describe("reading back", () => {
  async function read(remoteIds: readonly string[], call: XCall, text = aPart().text) {
    if (!connector.readBack) throw new Error("There is no reading back");
    return connector.readBack(
      remoteIds.map((remoteId) => ({ remoteId, text })),
      call,
    );
  }
  const reads = () => stage.x.requests().filter((request) => request === "GET /2/tweets");

  test("is one request, with the alt texts of each post in their order", async () => {
    const call = await stage.connected();
    const media = [anImage("1", "One"), anImage("2"), anImage("3", "Three")];
    const pictures = await publish(call, aPart({ media }));
    const other = await publish(call, aPart({ text: "Other", media: [anImage("4", "Four")] }));

    const shown = await read([pictures.remoteId, other.remoteId], call);

    expect(shown.get(pictures.remoteId)).toEqual({
      hasSameText: true,
      mediaCount: 3,
      altTexts: ["One", "", "Three"],
    });
    expect(shown.get(other.remoteId)).toEqual({
      hasSameText: false,
      mediaCount: 1,
      altTexts: ["Four"],
    });
    expect(reads()).toHaveLength(1);
  });

  test("works for posts of any age", async () => {
    const { remoteId } = await publish(await stage.connected(), aPart());
    stage.later(60 * DAY_MS);

    expect([...(await read([remoteId], await stage.connected())).keys()]).toEqual([remoteId]);
  });

  test("asks for nothing that X could not find, as X would refuse the others with it", async () => {
    const call = await stage.connected();
    const { remoteId } = await publish(call, aPart());

    const { kind, platformCode } = await failure(read([remoteId, "heart/status"], call));

    expect([kind, platformCode]).toEqual(["bug", "no_post_id"]);
    expect(reads()).toEqual([]);
  });
});
