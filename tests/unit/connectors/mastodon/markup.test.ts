import { expect, test } from "@jest/globals";
import { plainText } from "../../../../shared/connectors/mastodon/markup.ts";

test.each([
  ["paragraphs and line ends", "<p>One<br />two</p><p>three</p>", "One\ntwo\n\nthree"],
  [
    "entities",
    "<p>5 &lt; 6 &amp; 7 &gt; 6, it&#39;s &quot;so&quot; &#x2665;</p>",
    '5 < 6 & 7 > 6, it\'s "so" ♥',
  ],
  ["entities that were text", "<p>&amp;lt;b&amp;gt;</p>", "&lt;b&gt;"],
  [
    "a link in three pieces",
    '<a href="https://www.nih.gov/a"><span class="invisible">https://www.</span><span class="ellipsis">nih.gov</span><span class="invisible">/a</span></a>',
    "https://www.nih.gov/a",
  ],
  [
    "a mention",
    '<span class="h-card"><a href="https://x.example/@cdc">@<span>cdc</span></a></span>',
    "@cdc",
  ],
  ["an entity that nobody knows", "&nosuch; &#99999999;", "&nosuch; &#99999999;"],
])("reads %s", (_name, html, text) => {
  expect(plainText(html)).toBe(text);
});
