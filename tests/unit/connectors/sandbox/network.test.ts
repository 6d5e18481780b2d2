import { describe, expect, test } from "@jest/globals";
import { documentsInMemory } from "../../../../shared/connectors/sandbox/memory.ts";
import { aNetwork, aPost, fieldOf, GIF } from "./practice.ts";

async function refusalOf(response: Response): Promise<[number, string]> {
  return [response.status, await fieldOf(response, "code")];
}

describe("publishing", () => {
  test("once under a key, even in another process that starts later", async () => {
    const first = aNetwork();
    const token = await first.signIn();
    const post = aPost();

    const created = await first.publish(token, post);
    const repeated = await first.publish(token, post);
    const later = await aNetwork(first.documents).publish(token, post);

    expect([created.status, repeated.status, later.status]).toEqual([201, 200, 200]);
    expect(await fieldOf(later, "id")).toBe(await fieldOf(created, "id"));
  });

  test("shows one post where two processes stored one key at the same moment", async () => {
    const documents = documentsInMemory();
    const [one, two] = [aNetwork(documents), aNetwork(documents)];
    const token = await one.signIn();
    await Promise.all([one.publish(token), two.publish(token)]);
    const post = { ...aPost(), text: "Twice" };

    await Promise.all([one.publish(token, post), two.publish(token, post)]);

    expect([...(await one.page()).matchAll(/>Twice</g)]).toHaveLength(1);
  });

  test("refuses another content under a key that was used", async () => {
    const network = aNetwork();
    const token = await network.signIn();
    const post = aPost();
    await network.publish(token, post);

    const other = await network.publish(token, { ...post, text: "Something else" });

    expect(await refusalOf(other)).toEqual([409, "key_reused"]);
  });

  test("takes a key again after it was refused", async () => {
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

    expect(JSON.stringify(await network.documents.list(10))).not.toContain(secret);
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
