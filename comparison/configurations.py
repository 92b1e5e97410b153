"""How nginx and Caddy are told what the options of a setup say, as their manuals would have it.

What stands in no manual as one directive, and is known from many configurations, is done as it is done there:
hidden files are refused, an asset that is missing is no page of a single-page application. A setup without an
equivalent is left out; its rows do not apply.
"""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NGINX = """\
daemon off; master_process off; pid nginx.pid; error_log stderr crit; events {}
http {
  include /etc/nginx/mime.types; default_type application/octet-stream;
  charset utf-8; sendfile on; access_log off; absolute_redirect off;
  gzip on; gzip_vary on; gzip_static on; gzip_min_length 256;
  gzip_types text/plain text/css application/javascript application/json image/svg+xml;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
SERVERS}
"""

NGINX_HIDES = r"location ~ /\.(?!well-known/) { return 404; }"
NGINX_MAIN = f"root SITE/main; {NGINX_HIDES}"


def _nginx_cors(origin: str) -> str:
    return f"""\
add_header Access-Control-Allow-Origin {origin} always;
location / {{
  if ($request_method = OPTIONS) {{
    add_header Access-Control-Allow-Origin {origin};
    add_header Access-Control-Allow-Methods "GET, HEAD";
    add_header Access-Control-Allow-Headers "Range";
    add_header Access-Control-Max-Age 86400;
    return 204;
  }}
}}"""


NGINX_SETUPS = {
    "plain": NGINX_MAIN,
    "uncoded": f"{NGINX_MAIN} gzip off; gzip_static off;",
    "following": NGINX_MAIN,
    "hidden": "root SITE/main;",
    "index": f"{NGINX_MAIN} index start.html index.html;",
    "spa": f"""\
root SITE/app; {NGINX_HIDES}
location / {{ try_files $uri $uri/ /index.html; }}
location /assets/ {{ try_files $uri =404; }}""",
    "clean": f"{NGINX_MAIN} location / {{ try_files $uri $uri.html $uri/ =404; }}",
    "listing": f"{NGINX_MAIN} autoindex on;",
    "error page": f"{NGINX_MAIN} error_page 404 /errors/404.html;",
    "headers": f"""\
{NGINX_MAIN} add_header X-One 1 always;
location /assets/ {{ add_header X-One 1 always; add_header X-Assets yes always; }}""",
    "cors": f"{NGINX_MAIN}\n{_nginx_cors('*')}",
    "cors origin": f"{NGINX_MAIN}\n{_nginx_cors('https://a.example')}",
    "cache": f'{NGINX_MAIN} add_header Cache-Control "public, max-age=60";',
    "immutable": f"""\
{NGINX_MAIN} add_header Cache-Control max-age=60;
location ~ "[-._][0-9a-zA-Z]{{8,}}\\.[a-z0-9]+$" {{
  add_header Cache-Control "public, max-age=31536000, immutable";
}}""",
    "mounts": f"""\
{NGINX_MAIN}
location /docs/ {{ alias SITE/docs/; }}
location = /docs {{ return 301 /docs/$is_args$args; }}""",
}

CADDY = "{\n  admin off\n  auto_https off\n  log {\n    output discard\n  }\n}\n"

# `error` comes late in Caddy's own order of directives; `route` keeps the order that is written.
CADDY_HIDDEN = """\
@hidden {
  path */.*
  not path /.well-known/*
}
@deep path /.well-known/.*
"""
CADDY_HIDES = "error @hidden 404\nerror @deep 404\n"
CADDY_SERVES = "encode zstd gzip\nfile_server {\n  precompressed br zstd gzip\n}\n"


def _caddy(*first: str, serves: str = CADDY_SERVES, folder: str = "main") -> str:
    """Write a site that does these things first, then hides, then serves."""
    inner = "".join([f"root * SITE/{folder}\n", *(f"{one}\n" for one in first), CADDY_HIDES, serves])
    return f"{CADDY_HIDDEN}route {{\n{indent(inner, '  ')}}}\n"


def _caddy_cors(origin: str) -> str:
    return _caddy(
        f"header Access-Control-Allow-Origin {origin}",
        "@preflight {\n  method OPTIONS\n  header Access-Control-Request-Method *\n}",
        'header @preflight Access-Control-Allow-Methods "GET, HEAD"',
        "header @preflight Access-Control-Allow-Headers Range",
        "header @preflight Access-Control-Max-Age 86400",
        "respond @preflight 204",
    )


CADDY_SETUPS = {
    "plain": _caddy(),
    "uncoded": _caddy(serves="file_server\n"),
    "following": _caddy(),
    "hidden": f"root * SITE/main\n{CADDY_SERVES}",
    "index": _caddy(serves=CADDY_SERVES.replace("{\n", "{\n  index start.html index.html\n")),
    "spa": _caddy(
        folder="app",
        serves=f"""\
handle /assets/* {{
{indent(CADDY_SERVES, "  ")}}}
handle {{
  try_files {{path}} {{path}}/ /index.html
{indent(CADDY_SERVES, "  ")}}}
""",
    ),
    "clean": _caddy(serves=f"try_files {{path}} {{path}}.html\n{CADDY_SERVES}"),
    "listing": _caddy(serves=CADDY_SERVES.replace("{\n", "{\n  browse\n  hide .*\n")),
    "error page": f"""\
{_caddy()}handle_errors {{
  @missing expression {{http.error.status_code}} == 404
  root * SITE/main
  rewrite @missing /errors/404.html
  file_server @missing
}}
""",
    "headers": _caddy("header X-One 1", "header /assets/* X-Assets yes"),
    "cors": _caddy_cors("*"),
    "cors origin": _caddy_cors("https://a.example"),
    "cache": _caddy('header Cache-Control "public, max-age=60"'),
    "immutable": _caddy(
        "@hashed path_regexp [-._][0-9a-zA-Z]{8,}\\.[a-z0-9]+$",
        "header Cache-Control max-age=60",
        'header @hashed Cache-Control "public, max-age=31536000, immutable"',
    ),
    "mounts": _caddy(
        "redir /docs /docs/?{query} 308",
        f"handle_path /docs/* {{\n  root * SITE/docs\n{indent(CADDY_SERVES, '  ')}}}",
    ),
}


def nginx_conf(site: Path, ports: dict[str, int]) -> tuple[str, dict[str, int]]:
    """Write nginx.conf; return it and the ports of the setups that are in it."""
    ours = {setup: ports[setup] for setup in NGINX_SETUPS}
    servers = [
        f"server {{\n  listen 127.0.0.1:{port};\n{indent(NGINX_SETUPS[setup], '  ')}\n}}\n"
        for setup, port in ours.items()
    ]
    text = NGINX.replace("SERVERS", indent("".join(servers), "  "))
    return text.replace("SITE", str(site)), ours


def caddyfile(site: Path, ports: dict[str, int]) -> tuple[str, dict[str, int]]:
    """Write a Caddyfile; return it and the ports of the setups that are in it."""
    ours = {setup: ports[setup] for setup in CADDY_SETUPS}
    sites = [
        f"http://:{port} {{\n  bind 127.0.0.1\n{indent(CADDY_SETUPS[setup], '  ')}\n}}\n"
        for setup, port in ours.items()
    ]
    return (CADDY + "".join(sites)).replace("SITE", str(site)), ours
