"""The page's looks: light or dark as the reader's system is, from a phone's width to paper."""

STYLE = """\
:root{color-scheme:light dark;--ground:#fff;--panel:#f4f6f8;--line:#dde2e8;--text:#1b2128;
--quiet:#56616d;--link:#0a58ad;--get:#0b6b52;--post:#0a58ad;--put:#8a4b06;--delete:#b3261e}
@media screen and (prefers-color-scheme:dark){:root{--ground:#13171c;--panel:#1b2128;--line:#323b45;
--text:#e3e8ed;--quiet:#9eabb8;--link:#7ab7ff;--get:#5fd0ac;--post:#7ab7ff;--put:#f0b262;
--delete:#ff9a8f}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{margin:0;overflow-wrap:anywhere;background:var(--ground);color:var(--text);
font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
code,pre,b{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;
font-size:.875em}
a{color:var(--link);text-underline-offset:.2em}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
.skip{position:absolute;left:-99rem;background:var(--ground);padding:.5rem 1rem}
.skip:focus{left:0;z-index:1}
header,.body{max-width:72rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.5rem;padding-bottom:1.5rem}
h1{margin:0;font-size:clamp(1.5rem,1.1rem + 2vw,2.25rem);line-height:1.2;letter-spacing:-.02em}
header p{margin:.5rem 0 0;color:var(--quiet);max-width:44rem}
h2{margin:3rem 0 .25rem;font-size:1.375rem;line-height:1.3;letter-spacing:-.01em}
h3{margin:0;font-size:1.0625rem;font-weight:600;line-height:1.4}
h3 code{font-size:.9375em}
var{font-style:normal;color:var(--quiet)}
section>p{max-width:44rem}
p{margin:.5rem 0}
section>ul{padding-left:1.25rem}
section>ul li{margin:.5rem 0}
nav ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:0 1.25rem}
nav ul ul{display:none}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
article{border-top:1px solid var(--line);padding:1.25rem 0}
article>p{margin:.125rem 0 0;color:var(--quiet)}
article>ul{list-style:none;margin:.75rem 0;padding:0}
article>ul li{margin:.5rem 0}
.get,.head{color:var(--get)}.post{color:var(--post)}.put,.patch,.options{color:var(--put)}
.delete{color:var(--delete)}
pre{margin:.25rem 0;padding:.5rem .75rem;background:var(--panel);border-radius:.375rem;
white-space:pre-wrap;line-height:1.5}
pre i{font-style:normal;white-space:nowrap}
dl{margin:.75rem 0 0;font-size:.875rem;line-height:1.5}
dl div{display:grid;grid-template-columns:4.5rem minmax(0,1fr)}
dt,dt a{color:var(--quiet)}
dd{margin:0}
table{border-collapse:collapse;table-layout:fixed;width:100%;margin:1rem 0;font-size:.9375rem}
th,td{border-top:1px solid var(--line);padding:.5rem .75rem .5rem 0;text-align:left;
vertical-align:top}
th{font-weight:600;width:3.5rem}
#limits th{width:9rem}
td p{margin:0 0 .25rem}
.note{border-left:3px solid var(--put);padding-left:.75rem}
@media(min-width:40rem){article>ul li{display:grid;grid-template-columns:4.5rem minmax(0,1fr)}
article>ul b{line-height:1.5;padding-top:.5rem}article>ul pre{margin:0}}
@media(min-width:60rem){.body{display:grid;grid-template-columns:15rem minmax(0,1fr);gap:0 3rem}
nav{position:sticky;top:0;align-self:start;max-height:100vh;overflow:auto;padding:1rem 0;
font-size:.9375rem}
nav ul,nav ul ul{display:block}
nav ul ul{margin:.125rem 0 .875rem;line-height:1.75;font-size:.875em;padding-left:.75rem}
main>section:first-child h2{margin-top:1rem}}
@media print{nav,.skip{display:none}.body{display:block}
article{break-inside:avoid}h2,h3,section>p{break-after:avoid}a{color:inherit}}
"""
