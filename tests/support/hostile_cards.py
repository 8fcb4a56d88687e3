"""Markdown that would like to do something to who looks at it."""

from __future__ import annotations

HOSTILE = {
    "script": "<script>document.title='pwned'</script>",
    "script in a word": "a<scr<script>ipt>document.title='pwned'</script>",
    "handler": "<img src=x onerror=\"document.title='pwned'\"><svg onload=\"document.title='pwned'\"></svg>",
    "link": "[a](javascript:document.title='pwned') <a href=\"java\tscript:document.title='pwned'\">b</a>",
    "entity": '<a href="&#106;avascript&colon;document.title=1">x</a> [y](&#x6A;avascript:alert(1))',
    "data": "[a](data:text/html;base64,PHNjcmlwdD4x) ![b](data:image/svg+xml;base64,PHN2Zz4=) [c](vbscript:x)",
    "frame": '<iframe src="https://example.org"></iframe><object data="x"></object><embed src="x">',
    "form": '<form action="https://example.org"><input name=token><button>ok</button></form>',
    "style": '<style>body{display:none}</style><p style="position:fixed;inset:0">x</p><link rel=stylesheet href=x>',
    "meta": '<meta http-equiv="refresh" content="0;url=https://example.org"><base href="https://example.org/">',
    "tracker": '![x](//evil.example/p.gif) <img src="https://evil.example/p.gif"> <img src="\\\\evil.example/p">',
    "outside": "[a](../../../other/secret) [b](%2e%2e/%2e%2e/x) ![c](/other/private/resolve/main/x.png)",
    "math": "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "close": "</main></div></body></html><h1>after</h1>",
    "comment": "<!--><img src=x onerror=alert(1)>--> <![CDATA[<script>1</script>]]> <?php x ?>",
    "clobber": '<h2 id="a b" class="x" onclick=x>t</h2><a name=x id=y class=note target=_top>z</a>',
}
