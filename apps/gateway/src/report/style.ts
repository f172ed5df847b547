// The look of report.html: system fonts, no network, light and dark, and ink-friendly on paper.

export const STYLE = `
:root{color-scheme:light dark;--paper:#fbfbfa;--card:#fff;--ink:#1a2230;--soft:#5b6675;--line:#e3e6ea;--accent:#1f5fbf;
--good:#1b7f5c;--warn:#a8620a;--bad:#b3261e;--idle:#8a94a3;--copy:#5b7fb5;--tint:#f3f5f8}
@media (prefers-color-scheme:dark){:root{--paper:#12161d;--card:#1a2029;--ink:#e8ecf2;--soft:#9aa6b6;--line:#2c3541;
--accent:#7fb0ff;--good:#4fc79a;--warn:#e6a24c;--bad:#f2857c;--idle:#6c7686;--copy:#86a8dc;--tint:#212936}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main,header>div,footer{max-width:1060px;margin:0 auto;padding:0 24px}
header{border-bottom:1px solid var(--line);background:var(--card);padding:28px 0 24px}
header .brand{font-size:13px;letter-spacing:.08em;text-transform:uppercase;color:var(--soft);margin:0 0 6px}
h1{font-size:30px;line-height:1.2;margin:0 0 8px;letter-spacing:-.01em}
header p{margin:0;color:var(--soft);max-width:70ch}
h2{font-size:20px;margin:44px 0 6px;letter-spacing:-.005em}
h2+p{margin-top:0}
p.lead{color:var(--soft);max-width:75ch;margin:0 0 14px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:28px 0 16px}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.card b{display:block;font-size:28px;line-height:1.15;font-weight:600;font-variant-numeric:tabular-nums}
.card span{color:var(--soft);font-size:14px}
.card i{display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:7px;vertical-align:1px}
.bar{display:flex;height:12px;border-radius:6px;overflow:hidden;background:var(--tint);gap:2px}
.bar span{display:block;min-width:3px}
.released{background:var(--good)}.quarantined{background:var(--warn)}.failed{background:var(--bad)}
.duplicate{background:var(--copy)}.ignored{background:var(--idle)}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:10px;background:var(--card)}
table{border-collapse:collapse;width:100%;font-size:14.5px}
th,td{text-align:left;padding:8px 14px;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child>*{border-bottom:0}
thead th{font-weight:600;color:var(--soft);font-size:13px;background:var(--tint);white-space:nowrap}
tbody th{font-weight:500}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.none{color:var(--idle)}
code,.mono{font:13.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;overflow-wrap:anywhere}
small{color:var(--soft);font-size:13.5px;display:block}
.tag{display:inline-block;border-radius:5px;padding:1px 8px;font-size:13px;font-weight:600;white-space:nowrap;border:1px solid currentColor}
.tag.g{color:var(--good)}.tag.w{color:var(--warn)}.tag.b{color:var(--bad)}.tag.s{color:var(--soft)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:6px 20px;margin:0;padding:16px;background:var(--card);border:1px solid var(--line);border-radius:10px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
details{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:10px 0}
summary{cursor:pointer;padding:11px 16px;font-weight:500}
summary small{display:inline;font-weight:400;margin-left:8px}
details .scroll{border:0;border-top:1px solid var(--line);border-radius:0 0 10px 10px}
ul.plain{margin:0;padding:14px 16px 14px 36px;background:var(--card);border:1px solid var(--line);border-left:4px solid var(--warn);border-radius:10px}
ul.plain li{margin:5px 0}
footer{color:var(--soft);font-size:14px;padding:36px 24px 56px}
a{color:var(--accent)}
@media (max-width:600px){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}h1{font-size:25px}}
@media print{:root{--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--tint:#f2f2f2}body{font-size:10.5pt}
main,header>div,footer{max-width:none;padding:0}h2{break-after:avoid}tr,.card{break-inside:avoid}thead{display:table-header-group}
.scroll{overflow:visible}.bar span,.card i{print-color-adjust:exact;-webkit-print-color-adjust:exact}
details:not([open])>*:not(summary){display:block}details::details-content{content-visibility:visible;block-size:auto}}
`
