import { expect, test } from "@jest/globals";
import { aNetwork, fieldOf, GIF } from "./practice.ts";

test("says before the first post that there is none, and always that readers are simulated", async () => {
  const page = await aNetwork().page();

  expect(page).toContain("Nothing has been published yet");
  expect(page).toContain("Practice network");
  expect(page).toMatch(/reactions\s+are\s+simulated/);
});

test("shows whatever people write as text", async () => {
  const network = aNetwork();
  const token = await network.signIn();
  const text = `<script>alert("x")</script> & <img src=x onerror='y'> javascript:alert(1)`;

  await network.publish(token, { text });

  const page = await network.page();
  expect(page).toContain(
    "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &lt;img src=x onerror=&#39;y&#39;&gt; javascript:alert(1)",
  );
  expect(page).not.toMatch(/<script|onerror=['"]|href="javascript/i);
});

test("turns web addresses into links and leaves the sentence's full stop outside", async () => {
  const network = aNetwork();
  const token = await network.signIn();

  await network.publish(token, { text: 'See https://www.cdc.gov/a?b=1&c="2. Good.' });

  const href = "https://www.cdc.gov/a?b=1&amp;c=";
  expect(await network.page()).toContain(`<a href="${href}"`);
  expect(await network.page()).toContain("&quot;2. Good.");
});

test("lets a browser load nothing but its own style and pictures", async () => {
  const response = await aNetwork().ask("GET", "/");

  const policy = response.headers.get("content-security-policy");
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain("unsafe-inline");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  const page = await response.text();
  expect(page).not.toMatch(/ style="|<style|<script/);
  expect([...page.matchAll(/(?:src|<link[^>]* href)="([^"]*)"/g)].map(([, url]) => url)).toEqual([
    "/sandbox/style.css",
  ]);
});

test("serves its style", async () => {
  const response = await aNetwork().ask("GET", "/style.css");

  expect(response.headers.get("content-type")).toBe("text/css; charset=utf-8");
  expect(await response.text()).not.toMatch(/url\(|@import/);
});

test("shows a picture with its alt text, for ears and for eyes", async () => {
  const network = aNetwork();
  const token = await network.signIn();
  const id = await fieldOf(await network.upload(token, GIF), "id");

  await network.publish(token, { pictures: [{ id, altText: 'A "heart" <3' }] });

  const page = await network.page();
  const alt = "A &quot;heart&quot; &lt;3";
  expect(page).toContain(`alt="${alt}"`);
  expect(page).toMatch(new RegExp(`<b>Alt text:</b> ${alt}`));
  const picture = await network.ask("GET", `/pictures/${id}`);
  expect(picture.headers.get("content-type")).toBe("image/gif");
  expect(Buffer.from(await picture.arrayBuffer())).toEqual(GIF);
});

test("says where a picture has no alt text", async () => {
  const network = aNetwork();
  const token = await network.signIn();
  const id = await fieldOf(await network.upload(token, GIF), "id");

  await network.publish(token, { pictures: [{ id, altText: "" }] });

  expect(await network.page()).toMatch(/<b>Alt text:<\/b>\s+<em>none was given<\/em>/);
});

test("shows a link as a card with the name of its site", async () => {
  const network = aNetwork();
  const link = "https://www.cdc.gov/heart-disease/?a=1&b=2";

  await network.publish(await network.signIn(), { link });

  const card = /<a class="card" href="([^"]*)"[^>]*>\s*<b>([^<]*)</.exec(await network.page());
  expect(card?.slice(1)).toEqual(["https://www.cdc.gov/heart-disease/?a=1&amp;b=2", "cdc.gov"]);
});

test("puts the newest thread first and the parts of a thread in order", async () => {
  const network = aNetwork();
  const token = await network.signIn();
  const root = await fieldOf(await network.publish(token, { text: "One" }), "id");
  const two = await fieldOf(await network.publish(token, { text: "Two", parent: root }), "id");
  await network.publish(token, { text: "Newest" });
  await network.publish(token, { text: "Three", parent: two });

  const shown = [...(await network.page()).matchAll(/class="text"[^>]*>([^<]*)</g)];

  expect(shown.map(([, text]) => text)).toEqual(["Newest", "One", "Two", "Three"]);
});

test("shows a post at its own address with its thread, and nothing of other threads", async () => {
  const network = aNetwork();
  const token = await network.signIn();
  const root = await fieldOf(await network.publish(token, { text: "One" }), "id");
  const two = await fieldOf(await network.publish(token, { text: "Two", parent: root }), "id");
  await network.publish(token, { text: "Other" });

  const page = await network.page(`/posts/${two}`);

  expect(page).toContain(">One<");
  expect(page).toMatch(new RegExp(`class="post wanted"\\s+id="p-${two}"`));
  expect([...page.matchAll(/class="place">([^<]*)</g)].map(([, place]) => place)).toEqual([
    "1 of 2",
    "2 of 2",
  ]);
  expect(page).toContain('<a href="/sandbox/">');
  expect(page).not.toContain("Other");
});

test.each(["/posts/00000000-0000-4000-8000-000000000000", "/posts/x", "/nowhere"])(
  "answers 404 with a page for %s",
  async (path) => {
    const response = await aNetwork().ask("GET", path);

    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toContain("text/html");
  },
);

test("answers without its prefix too, for a server that took it off", async () => {
  const network = aNetwork();

  const response = await network.handle(new Request("http://127.0.0.1:3000/"));

  expect(await response.text()).toContain("Practice network");
});

test("shows reactions that grow with age and never fall", async () => {
  const network = aNetwork();
  const token = await network.signIn();
  await network.publish(token);
  const readers = async () =>
    Number(/impressions <b>(\d+)</.exec(await network.page())?.[1] ?? Number.NaN);

  const counts: number[] = [];
  for (const minutes of [0, 5, 60, 1_440, 40_000]) {
    network.pass(minutes * 60_000);
    counts.push(await readers());
  }

  expect(counts[0]).toBe(0);
  expect(counts[1]).toBeGreaterThan(0);
  expect(counts.at(-1)).toBeGreaterThan(39);
  expect(counts.toSorted((one, other) => one - other)).toEqual(counts);
});
