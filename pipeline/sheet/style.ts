/** How a contact sheet looks: the gallery's room and light, on paper too. */

export const style = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f3f1ec, #07080b);
  --raised: light-dark(#fbfaf7, #0e1015);
  --line: light-dark(#d9d5cb, #22252d);
  --ink: light-dark(#17181c, #ece8df);
  --quiet: light-dark(#5d5b55, #9b9a96);
  --light: light-dark(#8f4a00, #ffc46b);
  --dim: light-dark(#c9c4b8, #343842);
  --wrong: light-dark(#a3261c, #ff9d8e);
  --display: "Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", P052, "Book Antiqua", serif;
  --text: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  --code: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "Noto Sans Mono", monospace;
  --edge: clamp(1rem, 4vw, 3.5rem);
}
* { box-sizing: border-box; margin: 0; padding: 0; }
html { background: var(--ground); color: var(--ink); font: 400 1rem/1.5 var(--text); }
body { padding: clamp(1.5rem, 5vw, 4rem) 0 4rem; overflow-wrap: break-word; }
header, section, footer { padding-inline: var(--edge); }
section { margin-top: 3.5rem; }
h1, h2 { font-family: var(--display); font-weight: 400; line-height: 1.1; letter-spacing: -.01em; text-wrap: balance; }
h1 { font-size: clamp(2.25rem, 1.6rem + 3vw, 4rem); }
h2 { font-size: clamp(1.5rem, 1.2rem + 1.2vw, 2.125rem); margin-bottom: 1rem; }
p { max-width: 38rem; text-wrap: pretty; }
.kicker { color: var(--light); font-size: .8125rem; letter-spacing: .12em; text-transform: uppercase; margin-bottom: .75rem; }
.lead { margin-top: 1rem; font-size: 1.125rem; color: var(--quiet); }
.quiet { color: var(--quiet); }
.small { font-size: .8125rem; line-height: 1.4; }
code { font-family: var(--code); font-size: .92em; }
.scroll { overflow-x: auto; margin-inline: calc(-1 * var(--edge)); padding-inline: var(--edge); }
.scroll:focus-visible { outline: 2px solid var(--light); outline-offset: -2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { font-weight: 400; text-align: start; }

.means th, .means td, .trials th, .trials td { padding: .4rem 1.5rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
.means thead th, .trials thead th { color: var(--quiet); font-size: .8125rem; line-height: 1.3; vertical-align: bottom; max-width: 9rem; }
.means tbody tr:not(.layer) > *, .trials td { white-space: nowrap; }
.means td, .trials td, .right { text-align: end; }
.means .layer th { padding-top: 1.5rem; font-family: var(--display); font-size: 1.25rem; }
.means .says { text-align: start; }
.trials .over td, .trials .over th { color: var(--quiet); }
.trials thead th { max-width: none; white-space: nowrap; }
.best { color: var(--light); }
.wrong { color: var(--wrong); }

.pictures > thead th { position: sticky; top: 0; z-index: 1; background: var(--ground); padding: .5rem 0 .75rem; vertical-align: top; }
.pictures .recipe { font-family: var(--display); font-size: 1.25rem; line-height: 1.2; }
.pictures .note { display: block; max-width: 14rem; color: var(--quiet); font-size: .8125rem; line-height: 1.4; }
.pictures > thead th, .pictures > tbody > tr > td { padding-inline-end: 1.75rem; min-width: 9rem; }
.pictures > tbody > tr > * { border-top: 1px solid var(--line); padding-block: 1.25rem; vertical-align: top; }
.pictures > tbody > tr > th, .pictures > thead > tr > :first-child { min-width: 5.5rem; max-width: 9rem; padding-inline-end: 1.25rem; }
h1, h2, .recipe, .unit, .none { overflow-wrap: anywhere; }
.unit { font-family: var(--display); font-size: 1.75rem; line-height: 1; }
.unit small { display: block; margin-top: .35rem; font: .8125rem/1.4 var(--text); color: var(--quiet); }
img { display: block; background: var(--raised); box-shadow: 0 0 2.5rem light-dark(rgb(0 0 0 / .1), rgb(255 196 107 / .07)); }
.snap { image-rendering: pixelated; }
.bar { display: block; width: 100%; height: 3px; margin: .5rem 0 .4rem; fill: var(--dim); background: var(--raised); }
.bar.best { fill: var(--light); }
.much { font-family: var(--display); font-size: 1.375rem; line-height: 1.2; }
.much small { font: .8125rem/1.4 var(--text); }
.picture { width: min-content; }
.picture dl { contain: inline-size; }
dl { font-size: .8125rem; line-height: 1.5; }
dl div { display: flex; justify-content: space-between; gap: .75rem; }
dt { color: var(--quiet); }
.picture dd { text-align: end; }
.picture .much { text-align: start; }
dl .first { display: block; }
dl .first dt { color: var(--quiet); }
.none { max-width: 12rem; color: var(--quiet); font-size: .8125rem; line-height: 1.45; }

footer { margin-top: 4rem; }
footer dl { max-width: 38rem; margin-top: .75rem; display: grid; gap: .5rem; }
footer dl div { display: grid; grid-template-columns: 9rem 1fr; gap: 1rem; }
footer dt { color: var(--ink); }
footer dd { color: var(--quiet); }
footer p { margin-top: 1.5rem; }

@media (max-width: 40rem) {
  footer dl div { grid-template-columns: 1fr; gap: 0; }
}
@media print {
  :root { color-scheme: light; --ground: #fff; --raised: #fff; }
  @page { margin: 12mm; }
  html { font-size: 9pt; }
  body { padding: 0; }
  header, section, footer, .scroll { padding-inline: 0; margin-inline: 0; }
  .scroll { overflow: visible; }
  .pictures > thead th { position: static; }
  img { box-shadow: none; outline: 1px solid var(--line); max-width: 32mm; height: auto; }
  .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  tr, dl { break-inside: avoid; }
  h2 { break-after: avoid; }
  section { margin-top: 2rem; }
}
`;
