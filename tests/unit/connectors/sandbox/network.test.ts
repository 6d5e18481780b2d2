import { describe, expect, test } from "@jest/globals";
import { documentsInMemory } from "../../../../shared/connectors/sandbox/memory.ts";
import { createNetwork } from "../../../../shared/connectors/sandbox/network.ts";
import { HOST_KEY_HEADER } from "../../../../shared/connectors/sandbox/network/host-key.ts";
import { aNetwork, aPost, fieldOf, GIF } from "./practice.ts";

async function refusalOf(response: Response): Promise<[number, string]> {
  return [response.status, await fieldOf(response, "code")];
}

describe("publishing", () => {
  test("once under an id, even in another process that starts later", async () => {
    const first = aNetwork();
    const token = await first.signIn();
    const post = aPost();

    const created = await first.publish(token, post);
    const repeated = await first.publish(token, post);
    const later = await aNetwork(first.documents).publish(token, post);

    expect([created.status, repeated.status, later.status]).toEqual([201, 200, 200]);
    expect(await fieldOf(later, "id")).toBe(await fieldOf(created, "id"));
  });

  test("makes one post where two processes get it at the same moment", async () => {
    const documents = documentsInMemory();
    const [one, two] = [aNetwork(documents), aNetwork(documents)];
    const token = await one.signIn();
    const post = { ...aPost(), text: "Twice" };

    const answers = await Promise.all([one.publish(token, post), two.publish(token, post)]);

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 201]));
    expect([...(await one.page()).matchAll(/>Twice</g)]).toHaveLength(1);
  });

  test("refuses another content under an id that was used", async () => {
    const network = aNetwork();
    const token = await network.signIn();
    const post = aPost();
    await network.publish(token, post);

    const other = await network.publish(token, { ...post, text: "Something else" });

    expect(await refusalOf(other)).toEqual([409, "id_taken"]);
  });

  test("does not give one account another one's post under the same id", async () => {
    const network = aNetwork();
    const post = aPost();
    await network.publish(await network.signIn(), post);

    const other = await network.publish(await network.signIn("@clinic"), post);

    expect(await refusalOf(other)).toEqual([409, "id_taken"]);
  });

  test("takes an id again after it was refused", async () => {
    const network = aNetwork();
    const token = await network.signIn();
    const post = aPost();
    await network.publish(token, { ...post, text: "x".repeat(501) });

    const second = await network.publish(token, post);

    expect(second.status).toBe(201);
  });

  test("says that a repeated post was removed since", async () => {
    const network = aNetwork();
    const token = await network.signIn();
    const post = aPost();
    const id = await fieldOf(await network.publish(token, post), "id");
    await network.ask("DELETE", `/api/posts/${id}`, {
      headers: { authorization: `Bearer ${token}` },
    });

    expect(await refusalOf(await network.publish(token, post))).toEqual([410, "removed"]);
    expect((await network.ask("GET", `/posts/${id}`)).status).toBe(404);
  });

  test.each([
    ["no text and no picture", { text: " " }, [422, "text_refused"]],
    ["501 characters", { text: "心".repeat(501) }, [422, "text_refused"]],
    ["more than 5,000 bytes", { text: "👨‍👩‍👧‍👦".repeat(201) }, [422, "text_refused"]],
    ["half of a character", { text: "heart \ud83d" }, [422, "text_refused"]],
    ["a NUL", { text: "heart\0" }, [422, "text_refused"]],
    ["a link that is no web address", { link: "javascript:alert(1)" }, [400, "malformed"]],
    ["a field that it does not know", { scheduledAt: "later" }, [400, "malformed"]],
    ["a parent that is not there", { parent: crypto.randomUUID() }, [404, "parent_missing"]],
    [
      "a picture that is not there",
      { pictures: [{ id: crypto.randomUUID(), altText: "" }] },
      [422, "picture_missing"],
    ],
    ["a body beyond all measure", { text: "x".repeat(70_000) }, [413, "too_large"]],
  ])("refuses %s", async (_, fields, expected) => {
    const network = aNetwork();
    const token = await network.signIn();

    expect(await refusalOf(await network.publish(token, fields))).toEqual(expected);
    expect(await network.page()).toContain("Nothing has been published yet");
  });

  test("refuses a body that is no JSON", async () => {
    const network = aNetwork();
    const headers = { authorization: `Bearer ${await network.signIn()}` };

    const response = await network.ask("POST", "/api/posts", { headers, body: "{" });

    expect(await refusalOf(response)).toEqual([400, "malformed"]);
  });
});

describe("without the key of the Postwell that hosts it", () => {
  test.each([
    ["signing in", "POST", "/api/sessions"],
    ["an upload", "POST", "/api/pictures"],
    ["a post", "POST", "/api/posts"],
    ["removing", "DELETE", `/api/posts/${crypto.randomUUID()}`],
    ["whatever is not reading", "PUT", "/"],
  ])("refuses %s", async (_, method, path) => {
    const network = aNetwork();
    const authorization = `Bearer ${await network.signIn()}`;

    for (const key of ["", "the key of this tes", "the key of this test!"]) {
      const headers = { authorization, [HOST_KEY_HEADER]: key };
      const response = await network.ask(method, path, { headers });
      expect(await refusalOf(response)).toEqual([403, "host_key_wrong"]);
    }
    const bare = new Request(`http://127.0.0.1${path}`, { method, headers: { authorization } });
    expect(await refusalOf(await network.handle(bare))).toEqual([403, "host_key_wrong"]);
  });

  test("lets nobody write where there is no key", async () => {
    const handle = createNetwork(documentsInMemory(), { hostKey: undefined });
    const headers = { [HOST_KEY_HEADER]: "undefined" };
    const body = JSON.stringify({ handle: "@heart" });

    const response = await handle(
      new Request("http://127.0.0.1/sandbox/api/sessions", { method: "POST", headers, body }),
    );

    expect(await refusalOf(response)).toEqual([403, "host_key_wrong"]);
  });
});

describe("signing in", () => {
  test("does not let a wrong secret pass for a right one", async () => {
    const network = aNetwork();
    const token = await network.signIn();
    const [id] = token.split(".");

    for (const forged of [`${id}.guess`, `${id}.`, `${id}`, `${token}x`, "", "x.y"]) {
      expect(await refusalOf(await network.publish(forged))).toEqual([401, "signed_out"]);
    }
  });

  test("does not take another document for a sign-in", async () => {
    const network = aNetwork();
    const token = await network.signIn();
    const post = await fieldOf(await network.publish(token), "id");

    expect(await refusalOf(await network.publish(`${post}.x`))).toEqual([401, "signed_out"]);
  });

  test("keeps no secret in its documents", async () => {
    const network = aNetwork();
    const [, secret = "nothing"] = (await network.signIn()).split(".");

    const kept = await network.documents.list("session", 10);
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept)).not.toContain(secret);
  });

  test.each(["heart", "@", "@<b>", "@Heart", `@${"x".repeat(31)}`])(
    "refuses the handle %s",
    async (handle) => {
      const body = JSON.stringify({ handle });

      const response = await aNetwork().ask("POST", "/api/sessions", { body });

      expect(await refusalOf(response)).toEqual([422, "handle_invalid"]);
    },
  );
});

describe("pictures", () => {
  test("refuses one that is not what it claims to be", async () => {
    const network = aNetwork();
    const token = await network.signIn();
    const page = new TextEncoder().encode("<!doctype html><script>alert(1)</script>");

    for (const type of ["image/png", "text/html", "image/svg+xml"]) {
      expect(await refusalOf(await network.upload(token, page, type))).toEqual([
        422,
        "picture_invalid",
      ]);
    }
  });

  test("refuses one of more than 5 MB", async () => {
    const network = aNetwork();
    const token = await network.signIn();
    const large = Buffer.concat([GIF, Buffer.alloc(5_000_000)]);

    expect(await refusalOf(await network.upload(token, large))).toEqual([413, "too_large"]);
  });

  test("refuses somebody else's in a post", async () => {
    const network = aNetwork();
    const theirs = await network.signIn("@clinic");
    const id = await fieldOf(await network.upload(theirs, GIF), "id");

    const response = await network.publish(await network.signIn(), {
      pictures: [{ id, altText: "" }],
    });

    expect(await refusalOf(response)).toEqual([422, "picture_missing"]);
  });

  test("are seen by nobody before a post shows them", async () => {
    const network = aNetwork();
    const id = await fieldOf(await network.upload(await network.signIn(), GIF), "id");

    expect((await network.ask("GET", `/pictures/${id}`)).status).toBe(404);
  });

  test("are forgotten when no post has shown them for a day", async () => {
    const network = aNetwork();
    const token = await network.signIn();
    const [unused, used] = [await network.upload(token, GIF), await network.upload(token, GIF)];
    const [unusedId, usedId] = [await fieldOf(unused, "id"), await fieldOf(used, "id")];
    await network.publish(token, { pictures: [{ id: usedId, altText: "" }] });

    network.pass(24 * 3_600_000 + 1);
    await network.upload(token, GIF);

    const late = await network.publish(token, { pictures: [{ id: unusedId, altText: "" }] });
    expect(await refusalOf(late)).toEqual([422, "picture_missing"]);
    expect((await network.ask("GET", `/pictures/${usedId}`)).status).toBe(200);
  });

  test("go with their post", async () => {
    const network = aNetwork();
    const token = await network.signIn();
    const picture = await fieldOf(await network.upload(token, GIF), "id");
    const pictures = [{ id: picture, altText: "" }];
    const id = await fieldOf(await network.publish(token, { pictures }), "id");

    const headers = { authorization: `Bearer ${token}` };
    await network.ask("DELETE", `/api/posts/${id}`, { headers });

    expect((await network.ask("GET", `/pictures/${picture}`)).status).toBe(404);
  });
});

test("does not let one account remove another one's post", async () => {
  const network = aNetwork();
  const id = await fieldOf(await network.publish(await network.signIn()), "id");
  const headers = { authorization: `Bearer ${await network.signIn("@clinic")}` };

  const response = await network.ask("DELETE", `/api/posts/${id}`, { headers });

  expect(await refusalOf(response)).toEqual([403, "not_yours"]);
  expect(await network.page()).toContain("Know your numbers");
});
