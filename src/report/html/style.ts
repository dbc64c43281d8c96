/** The page's look. System fonts, colours for both themes with a contrast of at least 4.5, and a form for paper. */
export const style = `
@counter-style line{system:extends decimal;suffix:"  "}
:root{color-scheme:light dark;
--bg:light-dark(#f7f7f5,#101317);--panel:light-dark(#fff,#171b20);--sunken:light-dark(#f3f4f2,#12161a);
--ink:light-dark(#1a1e23,#e4e7ea);--muted:light-dark(#5a636d,#9ca6b1);--line:light-dark(#e2e4e2,#2b3138);--strong:light-dark(#c9cdcb,#414a54);
--link:light-dark(#0b55a8,#84b6ff);
--bad:light-dark(#a8231a,#ff958b);--bad-bg:light-dark(#fcecea,#381b1a);--bad-bar:light-dark(#d2483d,#d9564b);
--warn:light-dark(#845000,#f0b860);--warn-bg:light-dark(#fbf1de,#33270f);--warn-bar:light-dark(#e3a133,#c98a24);
--good:light-dark(#19673a,#78cf95);--good-bg:light-dark(#e7f4ea,#153021);--good-bar:light-dark(#4f9f6c,#4c9a69);
--info:light-dark(#0b55a8,#84b6ff);--info-bg:light-dark(#e8f0fb,#162740);--info-bar:light-dark(#5b93d6,#4c82c4);
--quiet:light-dark(#b9c1c6,#4d5761);--quiet-bg:light-dark(#eceeed,#242a31);
--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
--mono:ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
:root[data-theme=light]{color-scheme:light}:root[data-theme=dark]{color-scheme:dark}
*{box-sizing:border-box}
html{scroll-padding-top:4.5rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:400 15px/1.55 var(--sans)}
main,footer{max-width:1236px;margin:0 auto;padding:0 28px}
main:focus{outline:none}
a{color:var(--link);text-decoration-thickness:1px;text-underline-offset:2px}
a:hover{text-decoration-thickness:2px}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:4px}
code,.sql{font-family:var(--mono);font-size:.87em}
p{margin:.4em 0}ol,ul{margin:0;padding:0;list-style:none}
h1,h2,h3{line-height:1.3;margin:0;text-wrap:balance;overflow-wrap:anywhere}
h1{font-size:1.72rem;font-weight:600;letter-spacing:-.012em;max-width:44em}.rest{font-size:1.08rem;max-width:56em;margin:.7rem 0 0;overflow-wrap:anywhere}.rest code{background:var(--quiet-bg);padding:.1em .4em;border-radius:5px}
h1 code{font-size:.8em;background:var(--quiet-bg);padding:.1em .35em;border-radius:5px}
h2{font-size:1.14rem;font-weight:600;letter-spacing:-.005em}
h3{font-size:1rem;font-weight:600}
section{margin:0 0 3.2rem}
.muted,time{color:var(--muted)}.muted{font-weight:400}
time,dd,.time,.state{font-variant-numeric:tabular-nums}
.vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-999px;top:8px;background:var(--panel);padding:.5em 1em;z-index:9}.skip:focus{left:12px}
.lead{color:var(--muted);margin:.2rem 0 1rem}
.t-bad{color:var(--bad)}.t-warn{color:var(--warn)}.t-good{color:var(--good)}.t-info{color:var(--muted)}

.bar{position:sticky;top:0;z-index:5;display:flex;align-items:center;gap:1.6rem;padding:.6rem max(28px,calc(50vw - 590px));background:color-mix(in srgb,var(--bg) 92%,transparent);backdrop-filter:blur(8px);border-bottom:1px solid var(--line);font-size:.88rem}
.brand{color:var(--muted);white-space:nowrap}.brand b{color:var(--ink);font-weight:600}
.bar nav{display:flex;gap:1.1rem;flex:1;overflow-x:auto}.bar nav a{color:var(--muted);text-decoration:none;white-space:nowrap;padding:.15rem 0}.bar nav a:hover{color:var(--ink)}
.tools{display:flex;gap:.5rem}
button{font:inherit;color:var(--ink);background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.22rem .7rem;cursor:pointer;white-space:nowrap}
button:hover{border-color:var(--strong)}

.overview{padding:3rem 0 0}
.eyebrow{display:flex;flex-wrap:wrap;align-items:center;gap:.5em;margin:0 0 .9rem;color:var(--ink)}
.basis{color:var(--muted);margin:.8rem 0 0}
.remarks{margin:1rem 0 0;padding:.7rem 1rem;background:var(--warn-bg);border-radius:8px;font-size:.92rem}.remarks li+li{margin-top:.25em}.remarks li{overflow-wrap:anywhere}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));margin:1.8rem 0 0;border:1px solid var(--line);border-radius:10px;background:var(--panel);overflow:hidden}
.fact{padding:.85rem 1.1rem;box-shadow:-1px -1px 0 var(--line)}
.fact dt{font-size:.82rem;color:var(--muted)}.fact dd{margin:.1rem 0 0;font-size:1.12rem;font-weight:600;overflow-wrap:anywhere;line-height:1.35}
.fact.bad dd{color:var(--bad)}.fact.warn dd{color:var(--warn)}.fact.good dd{color:var(--good)}

.badge{display:inline-block;font-size:.76rem;font-weight:600;line-height:1.2;padding:.22em .6em;border-radius:5px;background:var(--quiet-bg);color:var(--ink);white-space:nowrap}
.badge.bad,.badge.s-failed{background:var(--bad-bg);color:var(--bad)}
.badge.warn,.badge.s-edited,.badge.s-missing{background:var(--warn-bg);color:var(--warn)}
.badge.good,.badge.s-applied{background:var(--good-bg);color:var(--good)}
.badge.s-pending{background:var(--info-bg);color:var(--info)}
.check{color:var(--muted)}

.findings{margin:.9rem 0 0;border-top:1px solid var(--line)}
.finding{padding:1rem 0 1rem 1.1rem;border-bottom:1px solid var(--line);position:relative}
.finding::before,.note::before{content:"";position:absolute;left:0;top:1.1rem;bottom:1.1rem;width:3px;border-radius:2px;background:var(--warn-bar)}
.finding.bad::before,.note.bad::before{background:var(--bad-bar)}
.finding .head{display:flex;flex-wrap:wrap;gap:.2em .6em;align-items:baseline}
.finding p,.note p{white-space:pre-line;overflow-wrap:anywhere;margin:.35rem 0 0}
.finding p{max-width:75em}
.next{color:var(--ink)}.next .label{font-weight:600;color:var(--muted);font-size:.8rem;margin-right:.3em}
.next code,.finding p>code,.note p>code,.why code{background:var(--quiet-bg);padding:.08em .35em;border-radius:4px}
.statement code{color:var(--muted)}.place{font-size:.92rem}.place code{background:none!important;padding:0!important}.place .stamp{color:inherit}

.strip{display:block;max-width:100%;margin:0 0 1.2rem}
.strip path,.s-applied>.dot,.s-known>.dot{fill:var(--good-bar)}
.strip .s-known{fill:var(--quiet)}.strip .s-pending{fill:var(--info-bar)}.strip .s-failed{fill:var(--bad-bar)}.strip .s-edited,.strip .s-missing{fill:var(--warn-bar)}.strip .s-undone{fill:var(--quiet)}
.timeline{position:relative}
.timeline li{display:grid;grid-template-columns:22px minmax(0,1fr) 7em 9em;gap:.2rem .8rem;align-items:center;padding:.28rem 0;position:relative}
.timeline li::before{content:"";position:absolute;left:10px;top:0;bottom:0;width:2px;background:var(--line)}.timeline li:only-child::before{display:none}
.timeline li:first-child::before{top:50%}.timeline li:last-child::before{bottom:50%}
.timeline li.fold{display:block;padding-left:34px}.timeline li.fold>.dot{position:absolute;left:0;top:.38rem}
.timeline li.fold .timeline{margin:.3rem 0 .6rem}.timeline summary{color:var(--muted);width:max-content}
.dot{position:relative;z-index:1;display:inline-grid;place-items:center;width:20px;height:20px;margin:0 1px;border-radius:50%;font:700 11px/1 var(--sans);background:var(--quiet-bg);color:var(--ink)}
.s-applied>.dot,.dot.good{background:var(--good-bg);color:var(--good)}
.s-pending>.dot{background:var(--bg);box-shadow:inset 0 0 0 2.5px var(--info-bar)}
.s-failed>.dot,.dot.bad{background:var(--bad-bar);color:#fff}.dot.bad,.s-failed>.dot{color:light-dark(#fff,#160504)}
.s-edited>.dot,.s-missing>.dot,.dot.warn{background:var(--warn-bg);color:var(--warn)}
.timeline .what{overflow-wrap:anywhere}.timeline a{text-decoration:none}.timeline a:hover{text-decoration:underline}
.timeline .state{font-size:.88rem;color:var(--muted)}.timeline li.s-pending>.state{color:var(--info);font-weight:600}.timeline li.s-failed>.state{color:var(--bad);font-weight:600}.timeline li.s-edited>.state,.timeline li.s-missing>.state{color:var(--warn);font-weight:600}
.s-undone .name{text-decoration:line-through;text-decoration-color:var(--muted)}
.timeline time{font-size:.85rem;text-align:right;white-space:nowrap}.hint{font-size:.88rem}
.stamp{color:var(--muted);font-weight:400}

.migration{background:var(--panel);border:1px solid var(--line);border-radius:10px;margin:1rem 0 1.4rem;padding:1.2rem 1.4rem 1.1rem;scroll-margin-top:4.5rem}
.migration:target{border-color:var(--info-bar)}
.migration header{display:flex;flex-wrap:wrap;gap:.4rem 1rem;align-items:baseline;justify-content:space-between}
.migration h3 code{font-size:1rem}
.migration:has(>.source:not([open])):not(:has(.lanes,.notes)){padding:.7rem 1.4rem;margin:.5rem 0}
.traits{display:flex;flex-wrap:wrap;gap:.3rem .9rem;align-items:baseline;margin:0;font-size:.86rem;color:var(--muted)}
.lanes{margin:1.1rem 0 .9rem;overflow-x:auto}
.lanes table{border-collapse:collapse;width:100%;font-size:.88rem}
.lanes caption{text-align:left;font-weight:600;padding-bottom:.3rem}.lanes caption .muted{font-size:.82rem;margin-left:.6em}
.lanes th,.lanes td{text-align:left;font-weight:400;vertical-align:middle;padding:.32rem .9rem .32rem 0;border-top:1px solid var(--line)}
.lanes thead th{border-top:0;color:var(--muted);font-size:.8rem;padding-top:0;padding-bottom:0}
.lanes .when{width:44%}.lanes tbody th{width:20%;overflow-wrap:anywhere}
.lanes svg{display:block;width:100%;overflow:visible}
.ruler line{stroke:var(--strong)}.ruler text{font:11px var(--mono);fill:var(--muted)}
.track{fill:var(--sunken)}.w-readers{fill:var(--bad-bar);fill-opacity:.5}.w-writers{fill:var(--warn-bar);fill-opacity:.5}.w-nobody{fill:var(--quiet);fill-opacity:.55}.w-unknown{fill:var(--quiet);stroke:var(--warn-bar);stroke-dasharray:3 3}
.bars .work{fill-opacity:1}
.fleet .reached{fill:var(--good-bar)}.fleet .hole{fill:var(--warn-bar)}.fleet td:nth-child(3){white-space:nowrap;font-weight:600}.fleet .when{width:34%}
.lock{display:block;color:var(--muted);font:11.5px var(--mono)}.size{display:block;color:var(--muted);font-size:.92em}.works{display:block;color:var(--muted);font-size:.84rem}
details>summary{cursor:pointer;border-radius:4px}
.source>summary{font-weight:600;font-size:.88rem;padding:.15rem 0;width:max-content;max-width:100%;overflow-wrap:anywhere}.source>summary .muted{margin-left:.5em;font:12px var(--mono)}
.code{display:grid;grid-template-columns:minmax(0,1fr);margin-top:.5rem;background:var(--sunken);border-radius:8px;padding:.6rem 0}
.sql{counter-reset:none;padding:0 1rem 0 3.4rem;line-height:1.6;grid-column:1;font-size:.82rem}
.sql li{list-style:line;white-space:pre-wrap;overflow-wrap:anywhere;tab-size:4;padding-left:.5rem;scroll-margin-top:6rem}.sql li::marker{color:var(--muted);font-size:.92em}
.sql i{font-style:normal}.sql .k{color:light-dark(#7a2f8f,#d3a1e6)}.sql .s{color:light-dark(#19673a,#8fd3a6)}.sql .n{color:light-dark(#8a4600,#eab37a)}.sql .c{color:var(--muted)}.sql .q{color:light-dark(#0a4a78,#9cc9f2)}
.sql .hit{background:var(--warn-bg);box-shadow:-3.4rem 0 0 var(--warn-bg)}.sql li:target{outline:2px solid var(--info-bar);outline-offset:1px}
.notes{padding:.5rem 1rem .6rem 3.4rem}.migration>.notes{padding:0;margin:1rem 0}
.note{position:relative;background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:.5rem .8rem .55rem 1.1rem;font-size:.86rem;line-height:1.45}.note+.note{margin-top:.4rem}.note::before{left:6px;top:.6rem;bottom:.6rem}.note p{margin-top:.2rem}
@media(min-width:1000px){.code.noted{grid-template-columns:minmax(0,1fr) 390px;column-gap:.6rem}.code.timed{grid-template-columns:minmax(0,1fr) 230px;column-gap:.6rem}.code .notes{grid-column:2;grid-row-end:span 2;padding:0 .6rem .4rem 0}}

.views{display:flex;flex-wrap:wrap;gap:.6rem 1.6rem;align-items:center;justify-content:space-between;margin:0 0 .7rem}
.views fieldset{border:1px solid var(--line);border-radius:7px;margin:0;padding:2px;display:flex;background:var(--panel)}
.views label{cursor:pointer}.views input{position:absolute;opacity:0}.views label span{display:block;padding:.15rem .8rem;border-radius:5px;font-size:.88rem}
.views input:checked+span{background:var(--quiet-bg);font-weight:600}.views input:focus-visible+span{outline:2px solid var(--link);outline-offset:1px}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.84rem;color:var(--muted)}
.legend .add,.mark.add{color:var(--good)}.legend .del,.mark.del{color:var(--bad)}.legend .chg,.mark.chg{color:var(--warn)}.mark{font:700 .95em var(--mono)}
.diagram{overflow-x:auto;border:1px solid var(--line);border-radius:10px;background:var(--panel);padding:10px}
.diagram svg{display:block;margin:0 auto}.diagram .fit{max-width:100%;height:auto}
.diagram .card{fill:var(--panel);stroke:var(--strong)}.diagram .headline{fill:var(--quiet-bg)}.diagram text{fill:var(--ink);font:12px var(--mono)}
.diagram .title{font:600 13px var(--sans)}.diagram .type,.diagram .more,.diagram .key{fill:var(--muted)}.diagram .key{font-size:9px}
.diagram .ref{fill:none;stroke:var(--strong);stroke-width:1.3}.diagram .ref.add{stroke:var(--good-bar);stroke-width:1.8}.diagram .ref.del{stroke:var(--bad-bar);stroke-width:1.8;stroke-dasharray:5 4}.diagram .ref.chg{stroke:var(--warn-bar);stroke-width:1.8}
.table.add>.card{stroke:var(--good-bar)}.table.add>.headline{fill:var(--good-bg)}.diagram .table.add>.title{fill:var(--good)}
.table.del>.card{stroke:var(--bad-bar);stroke-dasharray:5 4}.table.del>.headline{fill:var(--bad-bg)}.diagram .table.del>.title{fill:var(--bad);text-decoration:line-through}
.table.chg>.card{stroke:var(--warn-bar)}.table.chg>.headline{fill:var(--warn-bg)}.diagram .table.chg>.title{fill:var(--warn)}
.tint{fill:none}.add>.tint{fill:var(--good-bg)}.del>.tint{fill:var(--bad-bg)}.chg>.tint{fill:var(--warn-bg)}
.diagram .sign{font-weight:700}.diagram .add>.sign,.diagram .col.add>.cname{fill:var(--good)}.diagram .del>.sign,.diagram .col.del>.cname{fill:var(--bad)}.diagram .col.del>.cname{text-decoration:line-through}.diagram .chg>.sign,.diagram .col.chg>.cname{fill:var(--warn)}
.v-b,.v-a{display:none}.schema:has(#v-before:checked) :is(.diagram .add,.v-u,.v-a),.schema:has(#v-after:checked) :is(.diagram .del,.v-u,.v-b){display:none}.schema:has(#v-before:checked) .v-b,.schema:has(#v-after:checked) .v-a{display:inline}
.changes{margin:1.1rem 0 0;columns:2 26em;column-gap:2.6rem;font-size:.9rem}.changes>li{break-inside:avoid;margin:0 0 .8rem}.changes ul{margin:.15rem 0 0;padding-left:1.2rem}.changes li{overflow-wrap:anywhere}.changes .kind{color:var(--muted)}.detail{font-size:.92em}

.measured{margin:.1rem 0 .4rem;font-size:.85rem;color:var(--muted);font-variant-numeric:tabular-nums}.measured b{color:var(--ink);font-weight:600}.measured span{margin-left:.7em}
.checks{border-top:1px solid var(--line);margin:.8rem 0 0}
.checks li{display:grid;grid-template-columns:22px minmax(11em,16em) 5.5em minmax(0,1fr) max-content;gap:.2rem .8rem;align-items:baseline;padding:.4rem 0;border-bottom:1px solid var(--line)}
.checks li>*{min-width:0}.checks code,.why{overflow-wrap:anywhere}.checks .where{background:none;padding:0}#h-accepted{margin-top:1.6rem}.checks .time{grid-column:5;color:var(--muted);font-size:.85rem}.checks .why{grid-column:4;color:var(--muted);font-size:.9rem}.checks .state{font-size:.88rem}
footer{color:var(--muted);font-size:.85rem;padding-top:1rem;padding-bottom:3rem;display:flex;flex-wrap:wrap;gap:.3rem 2rem;}footer::before{content:"";flex-basis:100%;border-top:1px solid var(--line);margin-bottom:.6rem}
@media(max-width:720px){.diagram .fit{max-width:none}main,footer{padding:0 16px}.bar{padding:.5rem 16px;gap:.8rem}.bar nav,#expand{display:none}.tools{margin-left:auto}.overview{padding-top:1.8rem}h1{font-size:1.32rem}
.timeline li{grid-template-columns:22px minmax(0,1fr) max-content}.timeline li>time{grid-column:2;text-align:left}
.migration{padding:1rem .9rem}.sql{padding-left:2.6rem;padding-right:.5rem}.notes{padding:.4rem .5rem .6rem .6rem}.sql .hit{box-shadow:-2.6rem 0 0 var(--warn-bg)}
.lanes tr{display:grid}.lanes .when,.lanes tbody th{width:auto}.lanes td,.lanes th{border:0;padding:.1rem 0}.lanes tbody tr{border-top:1px solid var(--line);padding:.4rem 0}.lanes thead th:not(.when){display:none}
.checks li{grid-template-columns:22px minmax(0,1fr) max-content}.checks .why{grid-column:2/-1}.checks .time{grid-column:3}}
@media(prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
@media print{:root,:root[data-theme]{color-scheme:light}@page{margin:14mm}html{font-size:10.7pt}body{font-size:10pt;background:#fff}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.bar,.skip,.views fieldset{display:none!important}main,footer{max-width:none;padding:0}.overview{padding-top:0}section{margin-bottom:1.6rem}
.migration{border:0;border-top:1px solid var(--strong);border-radius:0;padding:.8rem 0 0}.finding,.note,.lanes,.timeline li,.checks li,.fact,.lead,.views,.migration header{break-inside:avoid}h2,h3,.lead,.views,.migration header,.source>summary,.sql:has(+.notes){break-after:avoid}
details::details-content{content-visibility:visible;block-size:auto}details[data-list]:not([open])::details-content{content-visibility:hidden}.code{display:block;background:none;padding:0}a{color:inherit;text-decoration:none}.lanes{overflow:visible}.diagram{overflow:visible!important;}.diagram svg{width:100%;height:auto;max-height:240mm}}
`
