/** The feed's one style sheet: no fonts, no pictures, nothing from elsewhere. Contrast is at least 4.5 : 1 in both schemes. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f4f6f8; --card: #fff; --line: #d9e0e6; --ink: #16212b; --quiet: #51606d; --accent: #0b5f8a;
  --notice: #fff4d6; --notice-ink: #4d3a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10161b; --card: #182129; --line: #2d3943; --ink: #e8eef3; --quiet: #a3b2bf; --accent: #7cc4ec;
    --notice: #3a3014; --notice-ink: #f6e3b0;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 1.0625rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
.top { background: var(--card); border-bottom: 1px solid var(--line); }
.top > div, main, footer { max-width: 40rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.375rem; line-height: 1.25; margin: 0; }
h1 a { color: inherit; text-decoration: none; }
.tagline, footer { color: var(--quiet); margin: .125rem 0 0; font-size: .9375rem; }
.notice {
  background: var(--notice); color: var(--notice-ink); border-radius: .75rem;
  padding: .75rem 1rem; margin: 0 0 1rem; font-size: .9375rem;
}
.thread {
  list-style: none; margin: 0 0 1rem; padding: 0;
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
}
.post { display: grid; grid-template-columns: 2.75rem minmax(0, 1fr); column-gap: .75rem; padding: 1rem; }
.post.wanted { background: color-mix(in srgb, var(--accent) 9%, transparent); border-radius: .75rem; }
.thread > li + li .post { padding-top: .25rem; }
.side { display: flex; flex-direction: column; align-items: center; }
.face {
  width: 2.75rem; height: 2.75rem; border-radius: 50%; flex: none; display: grid; place-items: center;
  color: #fff; font-weight: 700; background: #0b5f8a;
}
.tone-1 { background: #8a2f5c; } .tone-2 { background: #3f6212; } .tone-3 { background: #6b3fa0; }
.tone-4 { background: #9a3412; } .tone-5 { background: #115e59; }
.thread > li:not(:last-child) .side::after {
  content: ""; flex: 1; width: 2px; min-height: .75rem; margin: .375rem 0 -1rem; background: var(--line);
}
.who { display: flex; flex-wrap: wrap; gap: 0 .5rem; align-items: baseline; margin: 0; font-size: 1rem; }
.who a { color: var(--quiet); font-size: .875rem; font-weight: 400; }
.text { margin: .25rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.pictures { display: grid; gap: .5rem; margin: .75rem 0 0; }
.pictures.many { grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); }
figure { margin: 0; border: 1px solid var(--line); border-radius: .625rem; overflow: hidden; }
figure img { display: block; width: 100%; max-height: 26rem; object-fit: contain; background: var(--page); }
figcaption { padding: .5rem .75rem; font-size: .875rem; color: var(--quiet); overflow-wrap: anywhere; }
figcaption b { font-weight: 600; }
.link {
  display: block; margin: .75rem 0 0; padding: .625rem .75rem; border: 1px solid var(--line);
  border-radius: .625rem; overflow-wrap: anywhere;
}
.counts {
  display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: .625rem 0 0; padding: 0;
  color: var(--quiet); font-size: .875rem; font-variant-numeric: tabular-nums;
}
.counts li::first-letter { text-transform: uppercase; }
.counts b { color: var(--ink); }
.empty { text-align: center; color: var(--quiet); padding: 3rem 1rem; }
`;
