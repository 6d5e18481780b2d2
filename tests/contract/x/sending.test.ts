import { createServer } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { Settings } from "../../../shared/connectors/x/credentials.ts";
import { aPart, failure, publish, useX } from "../../support/x.ts";

const stage = useX();

describe("a request", () => {
  test("never repeats the post's text or the token in its errors", async () => {
    const call = await stage.connected();
    stage.x.trap("text_quoted", 1);
    const refused = await failure(publish(call, aPart()));
    stage.x.fault("commit_reset_after_success", 1);
    const lost = await failure(publish(call, aPart()));

    for (const error of [refused, lost]) {
      const shown = `${error.stack} ${JSON.stringify(error)} ${String(error.cause)} ${JSON.stringify(error.cause)}`;
      expect(shown).not.toContain("blood pressure");
      expect(shown).not.toContain(call.credentials.accessToken);
    }
  });

  test("sends a lost post once, whatever became of it", async () => {
    const call = await stage.connected();
    for (const fault of [
      "commit_reset_before",
      "commit_unavailable",
      "commit_reset_after_success",
    ] as const) {
      const before = stage.x.requests().length;
      stage.x.fault(fault, 1);
      expect((await failure(publish(call, aPart({ text: fault })))).kind).toBe("unknown_outcome");
      expect(stage.x.requests()).toHaveLength(before + 1);
    }
  });

  test("gives up at the signal, although the answer never comes", async () => {
    const call = await stage.connected();
    stage.x.fault("commit_hang_after_success", 1);

    const error = await failure(publish({ ...call, signal: AbortSignal.timeout(50) }, aPart()));

    expect(error).toMatchObject({ kind: "unknown_outcome", platformCode: "ABORT_ERR" });
    expect(stage.x.posts()).toHaveLength(1);
  });

  test("sends nothing when its time is up before it begins", async () => {
    const call = await stage.connected();
    const before = stage.x.requests().length;

    const error = await failure(publish({ ...call, signal: AbortSignal.abort() }, aPart()));

    expect(error.kind).toBe("unavailable");
    expect(stage.x.requests()).toHaveLength(before);
  });

  test("knows that nothing was sent where nobody listens", async () => {
    const settings = Settings.parse({ baseUrl: `http://127.0.0.1:${await closedPort()}` });

    const error = await failure(publish({ ...(await stage.connected()), settings }, aPart()));

    expect(error).toMatchObject({ kind: "unavailable", platformCode: "ECONNREFUSED" });
  });

  test("knows that nothing was sent where the encrypted connection never came about", async () => {
    const settings = Settings.parse({ baseUrl: stage.x.url.replace("http:", "https:") });

    expect((await failure(publish({ ...(await stage.connected()), settings }, aPart()))).kind).toBe(
      "unavailable",
    );
    expect(stage.x.posts()).toHaveLength(0);
  });

  test("shares its connections among many posts", async () => {
    const call = await stage.connected();
    const parts = Array.from({ length: 200 }, (_, index) => aPart({ text: `Tip ${index}` }));
    for (const part of parts) await publish(call, part);

    expect(new Set(stage.x.posts().map(({ text }) => text)).size).toBe(200);
    expect(stage.x.connections()).toBe(1);
  });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
