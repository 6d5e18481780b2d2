/** The feed's one style sheet: no fonts, no pictures, nothing from elsewhere. Contrast is at least 4.5 : 1 in both schemes. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f3f5f7; --card: #fff; --line: #d5dde3; --ink: #16212b; --quiet: #4d5b67; --accent: #0b5f8a;
  --soft: #eaf2f7; --notice: #fff4d6; --notice-line: #ecd9a0; --notice-ink: #4d3a00; --gap: 1rem; --face: 2.75rem;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f151a; --card: #182129; --line: #303d48; --ink: #e8eef3; --quiet: #a3b2bf; --accent: #7cc4ec;
    --soft: #1d2f3b; --notice: #352c13; --notice-line: #5c4d20; --notice-ink: #f6e3b0;
  }
}
@media (max-width: 30rem) {
  :root { --gap: .75rem; --face: 2.25rem; }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 1.0625rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
a { color: var(--accent); text-underline-offset: .15em; }
a:hover { text-decoration-thickness: .125em; }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
main:focus { outline: none; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
.top { background: var(--card); border-bottom: 1px solid var(--line); }
.top > div, main, footer { max-width: 41rem; margin: 0 auto; padding: var(--gap); }
.top > div { display: flex; align-items: center; gap: .75rem; }
.sign { width: 2.75rem; height: 2.75rem; flex: none; }
h1 { font-size: 1.375rem; line-height: 1.25; margin: 0; }
h1 a { color: inherit; text-decoration: none; }
h1 a:hover { text-decoration: underline; }
.tagline { color: var(--quiet); margin: .125rem 0 0; font-size: .9375rem; line-height: 1.35; }
footer { color: var(--quiet); font-size: .875rem; text-align: center; padding-bottom: 2rem; }
.notice {
  background: var(--notice); color: var(--notice-ink); border: 1px solid var(--notice-line); border-radius: .75rem;
  padding: .625rem 1rem; margin: 0 0 var(--gap); font-size: .9375rem;
}
.back { margin: 0 0 var(--gap); }
.thread {
  list-style: none; margin: 0 0 var(--gap); padding: 0; overflow: hidden;
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
}
.post { display: grid; grid-template-columns: var(--face) minmax(0, 1fr); column-gap: .75rem; padding: var(--gap); }
.thread > li:not(:only-child) .wanted { background: var(--soft); box-shadow: inset .25rem 0 var(--accent); }
.side { display: flex; flex-direction: column; align-items: center; }
.face {
  width: var(--face); height: var(--face); border-radius: 50%; flex: none; display: grid; place-items: center;
  color: #fff; font-weight: 700; background: #0b5f8a;
}
.tone-1 { background: #8a2f5c; } .tone-2 { background: #3f6212; } .tone-3 { background: #6b3fa0; }
.tone-4 { background: #9a3412; } .tone-5 { background: #115e59; }
.thread > li:not(:last-child) .side::after {
  content: ""; flex: 1; width: 2px; margin: .375rem 0 calc(.375rem - 2 * var(--gap)); background: var(--line);
}
.who {
  display: flex; flex-wrap: wrap; gap: 0 .625rem; align-items: baseline; margin: 0;
  font-size: 1rem; overflow-wrap: anywhere;
}
.who a, .place { color: var(--quiet); font-size: .875rem; font-weight: 400; }
.who a { text-decoration: none; }
.who a:hover { text-decoration: underline; }
.text { margin: .25rem 0 0; white-space: pre-wrap; overflow-wrap: break-word; }
.pictures { display: grid; gap: .5rem; margin: .75rem 0 0; }
.pictures.many { grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); }
figure { margin: 0; border: 1px solid var(--line); border-radius: .625rem; overflow: hidden; }
figure a { display: block; background: var(--page); }
figure a:focus-visible { outline-offset: -3px; }
figure img { display: block; width: 100%; max-height: 28rem; object-fit: contain; }
figcaption { padding: .5rem .75rem; font-size: .875rem; line-height: 1.45; color: var(--quiet); overflow-wrap: break-word; }
figcaption b { font-weight: 600; }
.card {
  display: block; margin: .75rem 0 0; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .625rem;
  font-size: .9375rem; line-height: 1.4; overflow-wrap: break-word; text-decoration: none;
}
.card b { display: block; color: var(--ink); }
.card:hover { border-color: var(--accent); }
.counts {
  display: flex; flex-wrap: wrap; gap: .125rem .75rem; list-style: none; margin: .625rem 0 0; padding: 0;
  color: var(--quiet); font-size: .875rem; font-variant-numeric: tabular-nums;
}
.counts li::first-letter { text-transform: uppercase; }
.counts b { color: var(--ink); }
.empty {
  text-align: center; text-wrap: balance; color: var(--quiet); padding: 2.5rem 1.5rem;
  background: var(--card); border: 1px dashed var(--line); border-radius: .75rem;
}
.empty h2 { color: var(--ink); font-size: 1.125rem; margin: 0; }
.empty p { margin: .375rem 0 0; }
`;
